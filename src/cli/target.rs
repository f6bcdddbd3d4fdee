//! Whom to ask, and as whom: flags that lie over `[target]`, the same for every command that sends requests.

use clap::Args;

/// Which server is asked.
#[derive(Clone, Default, Args)]
pub struct TargetArgs {
    /// Ask the server at this base URL (with or without `/v1`), or at this endpoint [default: the scenario's, else `http://127.0.0.1:8000`].
    #[arg(long, visible_alias = "base-url", value_name = "URL")]
    pub url: Option<String>,
    /// The model's name as the server knows it [default: the scenario's, else the only one that is served].
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Environment variable that holds the API key.
    #[arg(long, value_name = "VARIABLE")]
    pub api_key_env: Option<String>,
    /// A further header of every request, its value a secret that is never saved or shown: `--header 'X-Tenant: blue'`. Repeatable.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
}

/// Shows no header.
impl std::fmt::Debug for TargetArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url, model, api_key_env, headers } = self;
        let mut shown = f.debug_struct("TargetArgs");
        shown.field("url", url).field("model", model).field("api_key_env", api_key_env).field("headers", &headers.len()).finish()
    }
}
