//! What a run did, as far as those who judge it must know: a typed view of the cell that its header saved. The one place that knows where in
//! a saved cell these facts stand.

use serde::Deserialize;
use serde_json::Value;

use super::run::RunHeader;

/// The kind of a run's workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunWorkKind {
    DocumentQa,
    Chat,
    Requests,
}

/// What is known of a run's work.
#[derive(Debug, Clone, PartialEq)]
pub struct RunWork {
    /// `None` for one that this version does not know.
    pub kind: Option<RunWorkKind>,
    /// Groups of sessions, where there are such.
    pub concurrent: Option<u64>,
    /// Sessions of each group.
    pub sequential: Option<u64>,
    /// How many users there are at once: groups, users of a chat, or those of a closed loop. None where requests come by themselves.
    pub users: Option<u64>,
    /// That the target has, as far as it was said.
    pub gpus: Option<u64>,
    /// What the target costs an hour, in whatever currency it was written.
    pub price_per_hour: Option<f64>,
    /// What all sessions share at the head of their prompts.
    pub shared_tokens: f64,
    /// From the first request until rows are measured.
    pub warmup_s: f64,
    /// The server is started anew for every cell.
    pub restarts_server: bool,
    pub model: Option<String>,
    /// Where its prompts went, without secrets; missing where that was the simulated engine.
    pub url: Option<String>,
    /// The simulated engine's preset.
    pub preset: Option<String>,
}

/// What a run of `document_qa` was asked for, as far as the C×S script names it. `None` where the cell does not say it.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentQaWork {
    /// Groups of sessions.
    pub concurrent: Option<u64>,
    /// Sessions of each group.
    pub sequential: Option<u64>,
    /// Follow-up questions of a session.
    pub rounds: Option<u64>,
    /// The most tokens of an answer.
    pub answer_tokens: Option<u64>,
    /// A folder, or the length of made ones, as the scenario writes it.
    pub documents: Option<Value>,
    pub model: Option<String>,
    /// The server's address as the scenario writes it.
    pub base_url: Option<String>,
}

/// What a run of `chat` was asked for, as far as its own files go by it.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct ChatWork {
    /// Requests per second over all users.
    pub qps: f64,
    /// How often a block of the interval's figures is written, in seconds.
    #[serde(rename = "log_interval")]
    pub log_interval_s: f64,
}

impl RunHeader {
    /// The run's cell as the C×S script would name it, whatever its workload is.
    #[must_use]
    pub fn document_qa(&self) -> DocumentQaWork {
        let count = |field: &str| self.cell.pointer(field).and_then(Value::as_u64);
        let text = |field: &str| self.cell.pointer(field).and_then(Value::as_str).map(str::to_owned);
        DocumentQaWork {
            concurrent: count("/workload/concurrent"),
            sequential: count("/workload/sequential"),
            rounds: count("/workload/rounds"),
            answer_tokens: count("/workload/answer_tokens"),
            documents: self.cell.pointer("/workload/documents").cloned(),
            model: text("/target/model"),
            base_url: text("/target/url"),
        }
    }

    /// What a run of `chat` was asked for; `None` where the workload is another one.
    ///
    /// # Errors
    /// Where the cell says `chat` and lacks what every chat has.
    pub fn chat(&self) -> Result<Option<ChatWork>, serde_json::Error> {
        if self.work().kind != Some(RunWorkKind::Chat) {
            return Ok(None);
        }
        ChatWork::deserialize(self.cell.pointer("/workload").unwrap_or(&Value::Null)).map(Some)
    }

    /// What the run's cell says of its work.
    #[must_use]
    pub fn work(&self) -> RunWork {
        let field = |pointer: &str| self.cell.pointer(pointer);
        let text = |pointer: &str| field(pointer).and_then(Value::as_str);
        let number = |pointer: &str| field(pointer).and_then(Value::as_f64).unwrap_or(0.0);
        RunWork {
            kind: match text("/workload/kind") {
                Some("document_qa") => Some(RunWorkKind::DocumentQa),
                Some("chat") => Some(RunWorkKind::Chat),
                Some("requests") => Some(RunWorkKind::Requests),
                _ => None,
            },
            concurrent: field("/workload/concurrent").and_then(Value::as_u64),
            sequential: field("/workload/sequential").and_then(Value::as_u64),
            users: match text("/workload/kind") {
                Some("document_qa") => field("/workload/concurrent"),
                Some("chat") => field("/workload/users"),
                Some("requests") if text("/workload/arrival") == Some("closed") => field("/workload/concurrency"),
                _ => None,
            }
            .and_then(Value::as_u64),
            gpus: field("/target/gpus").and_then(Value::as_u64),
            price_per_hour: field("/target/price_per_hour").and_then(Value::as_f64),
            shared_tokens: number("/workload/system_prompt_tokens"),
            // A load that rises is warm-up too.
            warmup_s: number("/workload/warmup").max(number("/workload/ramp")),
            restarts_server: text("/server/reset") == Some("restart"),
            model: text("/target/model").map(str::to_owned),
            url: (text("/target/kind") != Some("sim"))
                .then(|| text("/target/url").map(|base| asked_url(base, text("/target/api"))))
                .flatten(),
            preset: text("/engine/preset").map(str::to_owned),
        }
    }
}

/// The address that prompts are sent to. An API is named as its path ends, but for `chat`, which is also what is saved of none. A whole endpoint is shown
/// as it is, and those of a deployment stand below it.
fn asked_url(base: &str, api: Option<&str>) -> String {
    let path = api.filter(|api| *api != "chat").unwrap_or("chat/completions");
    let base = base.split('?').next().unwrap_or_default().trim_end_matches('/');
    if base.ends_with(&format!("/{path}")) {
        return base.to_owned();
    }
    let version = if base.contains("/deployments/") { "" } else { "/v1" };
    format!("{}{version}/{path}", base.trim_end_matches("/v1").trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn header(cell: Value) -> RunHeader {
        RunHeader { id: "a".into(), variant: "vllm".into(), axes: Vec::new(), repeat: 0, seed: 0, simulated: false, cell: cell.into() }
    }

    #[test]
    fn the_work_is_read_from_the_saved_cell() {
        let cell = json!({
            "workload": {"kind": "document_qa", "concurrent": 4, "sequential": 2},
            "target": {"kind": "http", "url": "http://127.0.0.1:8000/v1?key=x", "api": "completions", "model": "m"},
            "server": {"reset": "restart"}
        });
        let work = header(cell).work();
        assert_eq!((work.kind, work.concurrent, work.sequential), (Some(RunWorkKind::DocumentQa), Some(4), Some(2)));
        assert_eq!(work.url.as_deref(), Some("http://127.0.0.1:8000/v1/completions"));
        assert!(work.restarts_server && work.model.as_deref() == Some("m"));
    }

    #[test]
    fn the_address_of_prompts_is_shown_without_its_query() {
        assert_eq!(asked_url("http://h", None), "http://h/v1/chat/completions");
        assert_eq!(asked_url("http://h/v1/", Some("messages")), "http://h/v1/messages");
        assert_eq!(asked_url("https://h/deployments/x?api-version=1", Some("chat")), "https://h/deployments/x/chat/completions");
        assert_eq!(asked_url("https://h/api/chat/completions?key=hush", Some("chat")), "https://h/api/chat/completions");
    }

    #[test]
    fn a_chat_has_a_rate_and_an_interval_and_other_work_has_none() {
        let chat = header(json!({"workload": {"kind": "chat", "qps": 2, "log_interval": 30.0, "users": 10}})).chat().unwrap();
        assert_eq!(chat, Some(ChatWork { qps: 2.0, log_interval_s: 30.0 }));
        assert!(header(json!({"workload": {"kind": "chat"}})).chat().is_err());
        assert_eq!(header(json!({"workload": {"kind": "requests", "qps": 2.0}})).chat().unwrap(), None);
    }

    #[test]
    fn a_simulated_run_asked_nobody_and_an_unknown_kind_is_none() {
        let work = header(json!({"workload": {"kind": "agents", "warmup": 5.0, "system_prompt_tokens": 400}, "target": {"kind": "sim", "url": "http://x"}})).work();
        assert_eq!((work.kind, work.url), (None, None));
        assert_eq!((work.warmup_s, work.shared_tokens), (5.0, 400.0));
        assert!((header(json!({"workload": {"kind": "requests", "warmup": 5.0, "ramp": 30.0}})).work().warmup_s - 30.0).abs() < 1e-9);
    }
}
