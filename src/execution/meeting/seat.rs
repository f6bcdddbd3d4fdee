//! Which client of how many this is, and where they meet: as it was typed, else as a launcher tells it by its variables.
//!
//! In: flags and the environment. Out: a seat, or what is missing. A launcher is heard only where somebody asked for several clients: its variables stand in
//! every job, also in those of one client.

use std::fmt;
use std::str::FromStr;

use super::address::{AddressError, MeetingAddress};

/// Which client this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSeat {
    pub rank: u32,
    /// At least 2.
    pub clients: u32,
    pub meet: MeetingAddress,
}

/// How many clients there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCount {
    Number(u32),
    /// As many as the launcher has started.
    Launcher,
}

/// What was typed.
#[derive(Debug, Clone)]
pub struct SeatFlags {
    pub clients: ClientCount,
    pub rank: Option<u32>,
    pub meet: Option<MeetingAddress>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SeatError {
    #[error("`{0}` is no number of clients: it takes a whole number from 1 on, or `launcher`")]
    Count(String),
    #[error("nothing tells which client this is: give `--rank`, or start all clients by srun, torchrun or an indexed job")]
    NoRank,
    #[error("`--clients launcher` needs a launcher that tells how many there are (`WORLD_SIZE`, `SLURM_NTASKS`): give a number")]
    NoCount,
    #[error("nothing tells where the clients meet: give `--meet HOST:PORT`, the same to all of them")]
    NoMeeting,
    #[error("`--clients {asked}` and `{variable}={told}` do not agree")]
    OtherCount { asked: u32, variable: &'static str, told: u32 },
    #[error("there is no client {rank} of {clients}: they are 0 to {}", clients - 1)]
    NoSuchRank { rank: u32, clients: u32 },
    #[error("`{variable}={value}` is no whole number")]
    Variable { variable: &'static str, value: String },
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl FromStr for ClientCount {
    type Err = SeatError;

    fn from_str(text: &str) -> Result<Self, SeatError> {
        match text {
            "launcher" => Ok(Self::Launcher),
            number => number.parse().ok().filter(|number| *number > 0).map(Self::Number).ok_or_else(|| SeatError::Count(text.to_owned())),
        }
    }
}

impl fmt::Display for ClientCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Launcher => f.write_str("launcher"),
        }
    }
}

/// The variables of a launcher.
struct LauncherVariables {
    rank: &'static str,
    count: Option<&'static str>,
}

/// In this order: who starts torchrun in a job of Slurm means torchrun.
const LAUNCHERS: [LauncherVariables; 3] = [
    LauncherVariables { rank: "RANK", count: Some("WORLD_SIZE") },
    LauncherVariables { rank: "SLURM_PROCID", count: Some("SLURM_NTASKS") },
    LauncherVariables { rank: "JOB_COMPLETION_INDEX", count: None },
];

impl ClientSeat {
    /// The seat; `None` where there is one client alone.
    pub fn of(flags: &SeatFlags, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, SeatError> {
        let number = |name: &'static str| {
            let value = variable(name).filter(|value| !value.is_empty());
            value.map(|value| value.parse::<u32>().map_err(|_| SeatError::Variable { variable: name, value })).transpose()
        };
        let launcher = LAUNCHERS.iter().find(|launcher| variable(launcher.rank).is_some_and(|value| !value.is_empty()));
        let told = match launcher.and_then(|launcher| launcher.count) {
            Some(count) => number(count)?.map(|told| (count, told)),
            None => None,
        };
        let clients = match (flags.clients, told) {
            (ClientCount::Launcher, Some((_, told))) => told,
            (ClientCount::Launcher, None) => return Err(SeatError::NoCount),
            // A rank that was typed is of the clients that were typed, whoever else the launcher has started.
            (ClientCount::Number(asked), Some((variable, told))) if asked != told && flags.rank.is_none() && asked > 1 => {
                return Err(SeatError::OtherCount { asked, variable, told });
            }
            (ClientCount::Number(asked), _) => asked,
        };
        if clients <= 1 {
            return Ok(None);
        }
        let rank = match (flags.rank, launcher) {
            (Some(rank), _) => rank,
            (None, Some(launcher)) => number(launcher.rank)?.ok_or(SeatError::NoRank)?,
            (None, None) => return Err(SeatError::NoRank),
        };
        if rank >= clients {
            return Err(SeatError::NoSuchRank { rank, clients });
        }
        let meet = match &flags.meet {
            Some(meet) => meet.clone(),
            None => told_meeting(launcher.map(|launcher| launcher.rank), variable)?.ok_or(SeatError::NoMeeting)?,
        };
        Ok(Some(Self { rank, clients, meet }))
    }
}

/// Where the clients of a launcher meet.
fn told_meeting(launcher: Option<&str>, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<MeetingAddress>, SeatError> {
    let told = |name: &str| variable(name).filter(|value| !value.is_empty());
    Ok(match launcher {
        Some("RANK") => match (told("MASTER_ADDR"), told("MASTER_PORT")) {
            (Some(host), Some(port)) => {
                let port = port.parse().map_err(|_| SeatError::Variable { variable: "MASTER_PORT", value: port })?;
                // torchrun's own store listens at that port until its job ends.
                Some(MeetingAddress::new(host, if told("TORCHELASTIC_RUN_ID").is_some() { next_port(port) } else { port }))
            }
            _ => None,
        },
        Some("SLURM_PROCID") => {
            let nodes = told("SLURM_STEP_NODELIST").or_else(|| told("SLURM_JOB_NODELIST"));
            let host = nodes.as_deref().and_then(first_node).or_else(|| told("SLURM_LAUNCH_NODE_IPADDR"));
            host.zip(slurm_port(&told)).map(|(host, port)| MeetingAddress::new(host, port))
        }
        _ => None,
    })
}

fn next_port(port: u16) -> u16 {
    port.checked_add(1).unwrap_or(port - 1)
}

/// A port of the step's own, where several jobs share a node: from 20000 on, by the job's number and the step's.
fn slurm_port(told: &dyn Fn(&str) -> Option<String>) -> Option<u16> {
    let number = |name: &str| told(name).and_then(|value| value.parse::<u64>().ok());
    let job = number("SLURM_JOB_ID")?;
    let step = number("SLURM_STEP_ID").unwrap_or(0);
    u16::try_from(20_000 + (job % 1_000 * 10 + step % 10)).ok()
}

/// The first of Slurm's list: `gpu[07-09,12],login1` begins with `gpu07`.
fn first_node(list: &str) -> Option<String> {
    let end = list.find([',', '[']).unwrap_or(list.len());
    let (head, rest) = list.split_at(end);
    let Some(range) = rest.strip_prefix('[') else { return Some(head.to_owned()).filter(|head| !head.is_empty()) };
    let (numbers, after) = range.split_once(']')?;
    let first = numbers.split([',', '-']).next()?;
    let tail = after.split(',').next().unwrap_or_default();
    (!tail.contains('[')).then(|| format!("{head}{first}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(
        clients: &str,
        rank: Option<u32>,
        meet: Option<&str>,
        variables: &[(&str, &str)],
    ) -> Result<Option<(u32, u32, String)>, String> {
        let flags = SeatFlags { clients: clients.parse().unwrap(), rank, meet: meet.map(|meet| meet.parse().unwrap()) };
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let seat = ClientSeat::of(&flags, &variable).map_err(|error| error.to_string())?;
        Ok(seat.map(|ClientSeat { rank, clients, meet }| (rank, clients, meet.to_string())))
    }

    const TORCHRUN: [(&str, &str); 4] = [("RANK", "2"), ("WORLD_SIZE", "4"), ("MASTER_ADDR", "node1"), ("MASTER_PORT", "29500")];
    const SRUN: [(&str, &str); 5] = [
        ("SLURM_PROCID", "1"),
        ("SLURM_NTASKS", "4"),
        ("SLURM_JOB_ID", "73412"),
        ("SLURM_STEP_ID", "0"),
        ("SLURM_STEP_NODELIST", "gpu[07-09,12]"),
    ];

    #[test]
    fn what_is_typed_goes_before_what_a_launcher_tells() {
        assert_eq!(seat("3", Some(1), Some("a:1"), &[]), Ok(Some((1, 3, "a:1".into()))));
        assert_eq!(seat("3", Some(1), Some("a:1"), &TORCHRUN), Ok(Some((1, 3, "a:1".into()))));
        assert_eq!(seat("4", None, Some("a:1"), &TORCHRUN), Ok(Some((2, 4, "a:1".into()))));
        assert_eq!(seat("3", None, Some("a:1"), &TORCHRUN), Err("`--clients 3` and `WORLD_SIZE=4` do not agree".into()));
    }

    #[test]
    fn launchers_tell_all_that_is_needed() {
        assert_eq!(seat("launcher", None, None, &TORCHRUN), Ok(Some((2, 4, "node1:29500".into()))));
        let elastic = [TORCHRUN.as_slice(), &[("TORCHELASTIC_RUN_ID", "none")]].concat();
        assert_eq!(seat("launcher", None, None, &elastic), Ok(Some((2, 4, "node1:29501".into()))));
        assert_eq!(seat("launcher", None, None, &SRUN), Ok(Some((1, 4, "gpu07:24120".into()))));
        assert_eq!(
            seat("4", None, Some("bench-0.bench:29500"), &[("JOB_COMPLETION_INDEX", "3")]),
            Ok(Some((3, 4, "bench-0.bench:29500".into())))
        );
    }

    #[test]
    fn a_task_that_slurm_started_alone_is_one_client() {
        assert_eq!(seat("launcher", None, None, &[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "1")]), Ok(None));
        assert_eq!(seat("1", None, None, &TORCHRUN), Ok(None));
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_give() {
        let error = |clients: &str, rank, meet, variables: &[(&str, &str)]| seat(clients, rank, meet, variables).unwrap_err();
        assert!(error("3", None, Some("a:1"), &[]).contains("`--rank`"));
        assert!(error("3", Some(1), None, &[]).contains("`--meet HOST:PORT`"));
        assert!(error("launcher", None, None, &[("JOB_COMPLETION_INDEX", "3")]).contains("give a number"));
        assert_eq!(error("3", Some(3), Some("a:1"), &[]), "there is no client 3 of 3: they are 0 to 2");
        assert_eq!(error("3", None, Some("a:1"), &[("RANK", "x")]), "`RANK=x` is no whole number");
        for text in ["0", "-1", "x", ""] {
            assert!(text.parse::<ClientCount>().is_err());
        }
    }

    #[test]
    fn the_first_node_of_a_list_is_found_in_every_form() {
        let firsts = ["gpu7", "gpu7,gpu8", "gpu[07-09,12]", "gpu[7],login1", "rack1-gpu[003-004]-ib,x", ""].map(first_node);
        assert_eq!(
            firsts,
            [Some("gpu7"), Some("gpu7"), Some("gpu07"), Some("gpu7"), Some("rack1-gpu003-ib"), None].map(|node| node.map(str::to_owned))
        );
        assert_eq!(first_node("a[1-2]b[3-4]"), None, "a list of two ranges in one name is not guessed");
    }
}
