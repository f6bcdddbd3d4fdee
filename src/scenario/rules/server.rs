//! Rules of `[server]`.

use super::Look;
use super::target::is_base_url;
use crate::server::spec::{ResetStep, ServerSpec};

pub fn check(spec: &ServerSpec, look: &mut Look<'_>) {
    for (index, step) in spec.reset.steps().iter().enumerate() {
        let ResetStep::Endpoint(reset) = step else { continue };
        let path = ["server", "reset", &index.to_string()];
        if !reset.starts_with('/') && is_base_url(reset.split('?').next().unwrap_or_default()).is_err() {
            let message = format!("`{}` is neither a path nor a URL", look.shown(&path));
            look.fault(&path, message, "write `\"/reset_prefix_cache\"`, or a whole URL for a cache that lives elsewhere");
        }
    }
}
