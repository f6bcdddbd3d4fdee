//! Who listens on which port of this machine, from Linux's `/proc`; nothing is known elsewhere.

use std::path::Path;

/// The state of a socket that listens, in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// The sockets that listen.
#[derive(Debug, Default)]
pub(super) struct ListeningSockets(Vec<ListeningSocket>);

#[derive(Debug, PartialEq, Eq)]
struct ListeningSocket {
    port: u16,
    /// On all interfaces.
    open: bool,
    inode: u64,
}

impl ListeningSockets {
    pub fn now() -> Self {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| std::fs::read_to_string(table).unwrap_or_default());
        Self(tables.iter().flat_map(|table| listeners(table)).collect())
    }

    /// Whether somebody listens on the port on all interfaces.
    pub fn is_open(&self, port: u16) -> bool {
        self.0.iter().any(|listener| listener.port == port && listener.open)
    }

    /// Who listens on the port: `pid 123 (vllm serve)`. Processes of other users are not seen.
    pub fn owners(&self, port: u16) -> Vec<String> {
        let sockets: Vec<String> =
            self.0.iter().filter(|listener| listener.port == port).map(|listener| format!("socket:[{}]", listener.inode)).collect();
        if sockets.is_empty() {
            return Vec::new();
        }
        let mut owners: Vec<(u32, String)> = processes().filter(|pid| holds(*pid, &sockets)).map(|pid| (pid, command(pid))).collect();
        owners.sort();
        owners.into_iter().map(|(pid, command)| format!("pid {pid} ({command})")).collect()
    }
}

/// The listening sockets of a table: columns are number, local address and port in hexadecimal, remote address, state, ..., inode.
fn listeners(table: &str) -> Vec<ListeningSocket> {
    let line = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (address, port) = columns.get(1)?.split_once(':')?;
        if *columns.get(3)? != LISTEN {
            return None;
        }
        let open = address.bytes().all(|digit| digit == b'0');
        Some(ListeningSocket { port: u16::from_str_radix(port, 16).ok()?, open, inode: columns.get(9)?.parse().ok()? })
    };
    table.lines().skip(1).filter_map(line).collect()
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn holds(pid: u32, sockets: &[String]) -> bool {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    files
        .filter_map(|file| std::fs::read_link(file.path()).ok())
        .any(|link| link.to_str().is_some_and(|link| sockets.iter().any(|s| s == link)))
}

/// The program and what it is told before its first option: options may hold keys.
fn command(pid: u32) -> String {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<String> = words.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let shown: Vec<&str> = words.iter().map(String::as_str).take_while(|word| !word.is_empty() && !word.starts_with('-')).take(4).collect();
    let name = |path: &str| Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    match shown.split_first() {
        Some((program, rest)) => std::iter::once(name(program).unwrap_or_default())
            .chain(rest.iter().map(|word| (*word).to_owned()))
            .collect::<Vec<_>>()
            .join(" "),
        None => "its command is not to be seen".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_the_kernel_tell_who_listens_for_whom() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n\
               1: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0\n\
               2: 0100007F:1F91 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0\n";
        let six = "  sl  local_address                         remote_address                        st\n\
               0: 00000000000000000000000000000000:1F42 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4714 1 0 100 0 0 10 0\n";
        let known = ListeningSockets([listeners(table), listeners(six)].into_iter().flatten().collect());
        let expected = [(8080, false, 4711), (8000, true, 4712), (8002, true, 4714)];
        assert_eq!(known.0, expected.map(|(port, open, inode)| ListeningSocket { port, open, inode }));
        assert!(known.is_open(8000) && known.is_open(8002) && !known.is_open(8080) && !known.is_open(8081));
    }
}
