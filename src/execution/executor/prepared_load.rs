//! What a run needs before anything of it is sent, on whichever client: its target, what counts tokens, and its texts.
//!
//! In: a run, and what was made for it. Out: the load that its lanes share, and where what comes of its requests is heard.

use tokio::sync::mpsc;

use super::runtimes::RuntimeHandles;
use super::sequential_loop::{InFlightCounters, LoadContext, RequestResult};
use super::stop_token::StopToken;
use super::unredacted_text::TextRetention;
use super::wake_filter::WakeSignal;
use crate::foundation::clock::{Clock, SharedTimer};
use crate::planning::plan::Run;
use crate::servers::client::Target;
use crate::workloads::tokens::TokenCounter;
use crate::workloads::workload::leave::LeavePolicy;
use crate::workloads::workload::{RunSalt, Workload};

/// What is ready before anything is sent that counts.
pub(super) struct PreparedLoad {
    pub target: Target,
    /// The most tokens of a conversation, where the target tells.
    pub context_limit: Option<u64>,
    pub counter: TokenCounter,
    pub workload: Workload,
}

impl PreparedLoad {
    /// The load of a run, and what comes of its requests.
    pub fn begin(
        self,
        run: &Run,
        salt: Option<RunSalt>,
        clock: Clock,
        threads: RuntimeHandles,
        stop: StopToken,
    ) -> (LoadContext, mpsc::UnboundedReceiver<RequestResult>) {
        let cell = &run.cell;
        let (done, inbox) = mpsc::unbounded_channel();
        let load = LoadContext {
            workload: self.workload,
            salt,
            target: self.target,
            counter: self.counter,
            clock,
            alarm: SharedTimer::start(clock),
            threads,
            context_limit: self.context_limit,
            on_error: cell.workload.on_error(),
            user_header: cell.workload.sends_user_header(),
            leave: cell.workload.leave().map(|leave| LeavePolicy::new(leave, run.seed)),
            stop,
            aborting: WakeSignal::default(),
            texts: TextRetention { texts: cell.keeps_texts(), hashes: cell.hashes_answers() },
            occupancy: InFlightCounters::default(),
            done,
        };
        (load, inbox)
    }
}
