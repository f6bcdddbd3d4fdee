//! What the canaries of several servers come to: the worst finding, with the server that it is of. Pure.

use std::cmp::Reverse;

use crate::records::record::{CanaryFinding, CanarySite};
use crate::servers::client::HttpTarget;

/// What the canary found; of several servers the worst, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteFinding {
    pub finding: CanaryFinding,
    /// `None` where there is one server.
    pub site: Option<CanarySite>,
}

impl SiteFinding {
    /// Of the findings of a target's servers, of which there is one at least, in their order; the first of equally bad ones.
    pub(super) fn worst(findings: Vec<CanaryFinding>, target: &HttpTarget) -> Self {
        let servers = target.site_count();
        let worst = (0_u64..).zip(findings).max_by_key(|(session, finding)| (badness(finding), Reverse(*session)));
        let (session, finding) = worst.expect("a target has a server");
        let site = (servers > 1).then(|| CanarySite { url: target.shown_url(session).to_owned(), servers });
        Self { finding, site }
    }
}

/// Caches that are found full fail the check; what is not known proves nothing.
fn badness(finding: &CanaryFinding) -> u8 {
    match finding {
        CanaryFinding::Gone { .. } => 0,
        CanaryFinding::Inconclusive(_) => 1,
        CanaryFinding::Left { .. } => 2,
    }
}
