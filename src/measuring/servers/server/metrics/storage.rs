//! The device that holds a path, and what was read from it and written to it: the texts of `/proc/self/mountinfo` and `/proc/diskstats` in,
//! a device and bytes out.

use std::path::Path;

use crate::records::record::SampleKind;

/// A sector of `/proc/diskstats`, whatever the device's own are.
const SECTOR: f64 = 512.0;

/// A block device, or a partition of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlockDevice {
    name: String,
}

impl BlockDevice {
    /// The device of the mount that holds a path; `None` where it is none of this machine's own, as with network and memory file systems.
    pub fn holding(path: &Path, mountinfo: &str, diskstats: &str) -> Option<Self> {
        let mut holding: Option<MountInfoLine> = None;
        for mount in mountinfo.lines().filter_map(MountInfoLine::read).filter(|mount| path.starts_with(&mount.point)) {
            // A later mount on the same point lies above the earlier one.
            if holding.as_ref().is_none_or(|before| mount.point.len() >= before.point.len()) {
                holding = Some(mount);
            }
        }
        let number = holding?.number;
        let name = diskstats.lines().filter_map(DiskStatsLine::read).find(|line| line.number == number)?.name;
        Some(Self { name: name.to_owned() })
    }

    /// Bytes read and written since the machine's start, as name, labels, kind and value; `None` where the device is gone.
    pub fn traffic(&self, diskstats: &str) -> Option<[(&'static str, String, SampleKind, f64); 2]> {
        let line = diskstats.lines().filter_map(DiskStatsLine::read).find(|line| line.name == self.name)?;
        let figure = |name, sectors| (name, format!("{{device=\"{}\"}}", self.name), SampleKind::Counter, sectors * SECTOR);
        Some([figure("storage_read_bytes_total", line.read_sectors), figure("storage_written_bytes_total", line.written_sectors)])
    }
}

/// A line of `/proc/self/mountinfo`: `36 35 98:0 /root /mnt rw - ext4 /dev/sda1 rw`.
struct MountInfoLine {
    number: (u32, u32),
    point: String,
}

impl MountInfoLine {
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split(' ');
        let (major, minor) = fields.nth(2)?.split_once(':')?;
        let number = (major.parse().ok()?, minor.parse().ok()?);
        Some(Self { number, point: plain(fields.nth(1)?) })
    }
}

/// Blanks and their like stand in octal: `\040`.
fn plain(point: &str) -> String {
    let mut parts = point.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(u8::is_ascii);
        text.push(code.map_or('\\', char::from));
        text.push_str(if code.is_some() { &part[3..] } else { part });
    }
    text
}

/// A line of `/proc/diskstats`.
struct DiskStatsLine<'a> {
    number: (u32, u32),
    name: &'a str,
    read_sectors: f64,
    written_sectors: f64,
}

impl<'a> DiskStatsLine<'a> {
    /// `8 0 sda reads merged sectors ms writes merged sectors ...`
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        let number = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let name = fields.next()?;
        let read_sectors = fields.nth(2)?.parse().ok()?;
        let written_sectors = fields.nth(3)?.parse().ok()?;
        Some(Self { number, name, read_sectors, written_sectors })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 28 0:20 / /proc rw,nosuid - proc proc rw
28 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
97 28 8:1 / /mnt/big\\040disk rw,relatime shared:48 - xfs /dev/sda1 rw
98 28 0:45 / /mnt/nas rw - nfs4 nas:/x rw
99 28 8:17 / /mnt rw - ext4 /dev/sdb1 rw
";
    const DISKS: &str = "\
   8       0 sda 100 0 2000 10 50 0 4000 20 0 30 30
   8       1 sda1 90 5 1000 10 40 2 3000 20 0 30 30 0 0 0 0
   8      17 sdb1 1 0 8 10 1 0 16 20 0 30 30
 259       2 nvme0n1p2 7 0 56 1 9 0 72 1 0 2 2
";

    fn device(path: &str) -> Option<String> {
        BlockDevice::holding(Path::new(path), MOUNTS, DISKS).map(|device| device.name)
    }

    #[test]
    fn the_innermost_mount_holds_a_path() {
        assert_eq!(device("/mnt/big disk/cache").as_deref(), Some("sda1"));
        assert_eq!(device("/mnt/big").as_deref(), Some("sdb1"));
        assert_eq!(device("/home/me").as_deref(), Some("nvme0n1p2"));
        // The network's and the kernel's own are no devices of this machine.
        assert_eq!(device("/mnt/nas/cache"), None);
        assert_eq!(device("/proc/1"), None);
    }

    #[test]
    fn sectors_become_bytes() {
        let device = BlockDevice { name: "sda1".into() };
        let [read, written] = device.traffic(DISKS).unwrap();
        assert_eq!((read.0, read.1.as_str(), read.3), ("storage_read_bytes_total", "{device=\"sda1\"}", 512_000.0));
        assert_eq!((written.0, written.2, written.3), ("storage_written_bytes_total", SampleKind::Counter, 1_536_000.0));
        assert_eq!(BlockDevice { name: "gone".into() }.traffic(DISKS), None);
        assert_eq!(device.traffic("8 1 sda1 1 2\nstrange"), None);
    }

    #[test]
    fn mount_points_are_read_without_their_escapes() {
        assert_eq!(plain("/a\\040b\\134c"), "/a b\\c");
        assert_eq!(plain("/a\\b\\9\\"), "/a\\b\\9\\");
    }
}
