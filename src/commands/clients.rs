//! `bench sweep --clients`: one load from several clients. Rank 0 leads and is a sweep like any other; the others only send their parts, and keep nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;

use super::ExitReason;
use super::keys::{show_commands, with_keys};
use super::measuring::warn_of_machine;
use super::node::node;
use super::signals::SignalListener;
use crate::cli::{ClientsArgs, SweepArgs, VerbosityArgs};
use crate::execution::executor::{LoadLeader, LoadMember, MeetingEnd, StopToken, follow};
use crate::execution::meeting::{
    ClientIdentity, ClientSeat, MeetingError, MeetingLimits, MeetingListener, MeetingMember, MeetingToken, SeatFlags,
};
use crate::foundation::named_file::NamedFile;
use crate::planning::plan::{Plan, server_setting};
use crate::servers::endpoint::{BaseUrl, without_secrets};
use crate::vocabulary::goal::ConditionField;
use crate::vocabulary::spec::search::EarlyStopPolicy;
use crate::workloads::arrival::LoadShard;

/// The variable with the token.
const TOKEN: &str = "BENCH_MEETING_TOKEN";

/// A client's seat, and what lets it in.
#[derive(Debug)]
pub(super) struct ClientRole {
    pub seat: ClientSeat,
    token: MeetingToken,
    limits: MeetingLimits,
}

impl ClientRole {
    /// What was typed, and what the launcher tells; `None` where there is one client alone.
    pub fn of(args: &ClientsArgs) -> anyhow::Result<Option<Self>> {
        let Some(clients) = args.clients else { return Ok(None) };
        let flags = SeatFlags { clients, rank: args.rank, meet: args.meet.clone() };
        let Some(seat) = ClientSeat::of(&flags, &|name| std::env::var(name).ok())? else { return Ok(None) };
        let text = match &args.meet_token_file {
            Some(file) => NamedFile::Token.read_text(file)?,
            None => std::env::var(TOKEN).unwrap_or_default(),
        };
        if text.trim().is_empty() && !seat.meet.is_loopback() {
            anyhow::bail!(
                "clients that meet at `{}` need a token, since others can come there\nhint: give all of them the same in the variable `{TOKEN}`, \
                 or in a file by `--meet-token-file`",
                seat.meet
            );
        }
        let limits = MeetingLimits { gather: Duration::from_secs_f64(args.meet_within.0), silence: MeetingLimits::SILENCE };
        Ok(Some(Self { seat, token: MeetingToken::new(&text), limits }))
    }

    fn identity(&self, plan: &Plan) -> ClientIdentity {
        ClientIdentity {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plan: plan.scenario_hash.clone(),
            rank: self.seat.rank,
            clients: self.seat.clients,
            host: node().name,
        }
    }
}

/// The flags that say the same again.
pub(super) fn flags(args: &ClientsArgs) -> Vec<String> {
    let values = [
        ("--clients", args.clients.map(|clients| clients.to_string())),
        ("--rank", args.rank.map(|rank| rank.to_string())),
        ("--meet", args.meet.as_ref().map(ToString::to_string)),
        ("--meet-token-file", args.meet_token_file.as_ref().map(|file| file.display().to_string())),
    ];
    values.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?])).flatten().collect()
}

/// What of a sweep cannot be shared by several clients, and what to do instead.
pub(super) fn refusal(args: &SweepArgs, plans: &[Plan]) -> Option<String> {
    let [plan] = plans else {
        return Some(format!("several clients send the load of one scenario, and {} are named", plans.len()));
    };
    let counts_lanes = plan.goals.iter().any(|goal| {
        let of_all = |field| matches!(field, ConditionField::InFlight | ConditionField::LiveLanes);
        goal.measure.filter.iter().any(|condition| of_all(condition.field))
    });
    let refused = if args.block.is_some() {
        "a block is measured by one client: leave out `--block` or `--clients`"
    } else if plan.simulated {
        "the simulated engine in virtual time has one client: start it by `bench sim`, and give its address by `--url`"
    } else if args.keep_text {
        "prompts and answers do not go from client to client: leave out `--keep-text` or `--clients`"
    } else if plan.search.stop_rule() != EarlyStopPolicy::Never && counts_lanes {
        "a goal looks at `in_flight` or `live_lanes`, which are known of several clients once a run is over: set `search.stop = \"never\"`"
    } else {
        return None;
    };
    Some(refused.to_owned())
}

/// Waits for the others.
pub(super) fn lead(role: ClientRole, plan: &Plan, stop: &StopToken, talk: VerbosityArgs) -> Result<LoadLeader, MeetingError> {
    let mine = role.identity(plan);
    let (host, clients) = (mine.host.clone(), mine.clients);
    let listener = MeetingListener::listen(&role.seat.meet, mine, role.token, role.limits)?;
    if !talk.quiet {
        let others = if clients == 2 { "1 other client".to_owned() } else { format!("{} other clients", clients - 1) };
        eprintln!("waiting for {others} at {}", listener.address());
    }
    let meeting = listener.gather(&stop.drain_token())?;
    let elsewhere = meeting.members().find(|(_, member)| *member != host).map(|(rank, member)| (rank, member.to_owned()));
    if let Some((rank, member)) = elsewhere
        && let Some(server) = LoopbackServer::of(plan)
    {
        let reason = server.reason(&host);
        if server.is_started {
            meeting.close(Some(&reason));
            return Err(MeetingError::Unfit { rank, host: member, reason });
        }
        eprintln!("warning: client {rank} is on {member}: {reason}");
    }
    if !talk.quiet {
        let members: Vec<String> = meeting.members().map(|(rank, host)| format!("{rank} on {host}")).collect();
        eprintln!("all {clients} clients are here: 0 on {host}, {}", members.join(", "));
    }
    Ok(LoadLeader::new(meeting, host, stop.clone()))
}

/// A server whose address means another one on each machine.
#[derive(Debug, PartialEq, Eq)]
struct LoopbackServer {
    /// As it may be shown.
    url: String,
    variant: String,
    /// It is started by rank 0, on its own machine.
    is_started: bool,
}

impl LoopbackServer {
    /// The first of a plan; one that is started goes first, since nobody else can reach it.
    fn of(plan: &Plan) -> Option<Self> {
        let real = plan.runs.iter().filter(|run| !run.simulated);
        let all = real.filter_map(|run| {
            let target = &run.cell.target;
            let here = target.urls.iter().chain(std::iter::once(&target.url)).find(|url| {
                let parsed: Result<BaseUrl, _> = url.parse();
                parsed.is_ok_and(|url| url.is_here())
            });
            let is_started = server_setting(&run.cell).is_some();
            here.map(|url| Self { url: run.cell.mask().hide(without_secrets(url)), variant: run.variant.clone(), is_started })
        });
        all.min_by_key(|server| !server.is_started)
    }

    fn reason(&self, host: &str) -> String {
        let Self { url, variant, .. } = self;
        if self.is_started {
            format!(
                "the server of `{variant}` is started on {host} at `{url}`, which no other machine reaches: set `target.url` to an address that all reach"
            )
        } else {
            format!("`{url}` is another server on each machine, unless each forwards it to the same")
        }
    }
}

/// Does the part of a client that does not lead, to the end of the sweep.
pub(super) fn take_part(role: &ClientRole, plan: &Plan, talk: VerbosityArgs) -> anyhow::Result<ExitReason> {
    let signals = SignalListener::listen()?;
    let all = BTreeSet::new();
    show_commands(plan, &all);
    let plan = with_keys(plan, &all)?;
    warn_of_machine(&plan);
    let ClientSeat { rank, clients, meet } = role.seat.clone();
    let shard = LoadShard::new(rank, clients).context("there is no such client")?;
    let stop = signals.stop();
    let meeting = match MeetingMember::join(&meet, &role.identity(&plan), &role.token, role.limits, &stop.drain_token()) {
        Ok(meeting) => meeting,
        Err(error) => return Ok(not_met(&error)),
    };
    if !talk.quiet {
        eprintln!("client {rank} of {clients} is let in at {meet}; rank 0 tells of the runs");
    }
    let end = follow(&plan, LoadMember::new(meeting, stop.clone()), shard)?;
    signals.measured();
    Ok(match end {
        MeetingEnd::Done { interrupted: false } => ExitReason::Success,
        MeetingEnd::Done { interrupted: true } | MeetingEnd::Left => ExitReason::Interrupted,
        MeetingEnd::GivenUp(reason) => {
            eprintln!("error: rank 0 at {meet} ended the load: {reason}");
            ExitReason::SweepStopped
        }
        MeetingEnd::LeaderLost(reason) => {
            eprintln!("error: rank 0 at {meet} was lost: {reason}");
            ExitReason::SweepStopped
        }
    })
}

/// Says why the clients did not come together.
pub(super) fn not_met(error: &MeetingError) -> ExitReason {
    if matches!(error, MeetingError::Stopped) {
        return ExitReason::Interrupted;
    }
    eprintln!("error: {error}");
    ExitReason::SweepStopped
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::planning::scenario::{ScenarioOverrides, load_text};

    fn found(target: &str) -> Option<LoopbackServer> {
        let text = format!("name = \"x\"\n[workload]\nkind = \"requests\"\nrequests = 4\n{target}");
        LoopbackServer::of(&Plan::new(&load_text(Path::new("x.toml"), &text, &ScenarioOverrides::default()).unwrap()).unwrap())
    }

    #[test]
    fn an_address_that_means_another_server_on_each_machine_is_found_by_its_variant() {
        let at = |url: &str| found(&format!("[target]\nmodel = \"m\"\nurl = \"{url}\"\n"));
        for own in ["http://127.0.0.1:8000", "http://localhost:8000/v1", "https://[::1]:8443"] {
            let server = at(own).unwrap();
            assert!(!server.is_started && server.url == own, "{server:?}");
        }
        assert_eq!((at("http://gpu7:8000"), at("http://10.0.0.7:8000")), (None, None));
        let pool = found("[target]\nmodel = \"m\"\nurls = [\"http://gpu7:8000\", \"http://localhost:8001\"]\n").unwrap();
        assert_eq!(pool.url, "http://localhost:8001");
        let started = "[target]\nmodel = \"m\"\n[variants.there]\ntarget.url = \"http://localhost:8000\"\n\
                       [variants.here]\ntarget.url = \"http://localhost:8001\"\nserver.command = [\"serve\", \"--port\", \"{port}\"]\n";
        let server = found(started).unwrap();
        assert!(server.is_started && server.variant == "here", "a server that is started can be reached by nobody else: {server:?}");
        assert!(server.reason("node1").contains("is started on node1 at `http://localhost:8001`"), "{}", server.reason("node1"));
    }
}
