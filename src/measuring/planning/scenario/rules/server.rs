//! Rules of `[server]`: how it is started, emptied and watched.

use super::RuleReporter;
use super::target::is_base_url;
use crate::planning::scenario::diagnostic::closest;
use crate::vocabulary::spec::reset::{ResetMode, ResetSpec, ResetStep};
use crate::vocabulary::spec::server::{ProcessSpec, ReadySpec, ServerSpec};
use crate::vocabulary::spec::target::{TargetKind, TargetSpec};
use crate::vocabulary::template::{self, TemplateContext};

/// Words in the name of an environment variable that make its value a secret.
const SECRET_WORDS: [&str; 7] = ["TOKEN", "KEY", "APIKEY", "SECRET", "PASSWORD", "PASSWD", "CREDENTIALS"];

pub fn check(spec: &ServerSpec, target: &TargetSpec, look: &mut RuleReporter<'_>) {
    let template = TemplateContext::new(target, &spec.args);
    if spec.is_started() {
        started(spec, target, &template, look);
    } else {
        not_started(spec, target, look);
    }
    resets(spec, &template, look);
    watch(spec, look);
}

/// What contradicts a server that is used as it is.
fn not_started(spec: &ServerSpec, target: &TargetSpec, look: &mut RuleReporter<'_>) {
    if look.is_written(&["server", "command"]) {
        let hint = "write the program and its arguments, or leave it out: the server at `target.url` is then used as it is";
        look.fault(&["server", "command"], "`server.command` is empty", hint);
        return;
    }
    for name in ServerSpec::OF_A_START {
        let path = ["server", name];
        if look.is_written(&path) {
            let message = format!("`server.{name}` says how a server is started, and there is no `server.command`");
            look.fault(&path, message, "add `command = [...]`, or leave it out: the server at `target.url` is used as it is");
        }
    }
    if target.kind != TargetKind::Http {
        return;
    }
    if spec.reset == ResetSpec::Whole(ResetMode::Restart) {
        let message = "`reset = \"restart\"`: bench did not start this server, so it cannot restart it";
        let hint = "add `server.command`, or name what empties its caches: `reset = [\"/reset_prefix_cache\"]`, or `reset = \"salt\"`";
        look.fault(&["server", "reset"], message, hint);
    }
    if has_no_port(target) {
        let message = "port 0 has bench choose a free port for the server that it starts, and there is no `server.command`";
        look.fault(&["target", "url"], message, "write the server's port");
    }
}

/// The rules of the command and of all that goes with it.
fn started(spec: &ServerSpec, target: &TargetSpec, template: &TemplateContext, look: &mut RuleReporter<'_>) {
    program(&spec.command, &["server", "command"], look);
    flags(spec, look);
    fields(&spec.command, &["server", "command"], template, look);
    let process = ProcessFields { env: &spec.env, working_dir: spec.working_dir.as_deref(), ready: spec.ready.as_ref() };
    process.check(&["server"], template, target, look);
    for (index, before) in spec.before.iter().enumerate() {
        before_it(index, before, spec, template, target, look);
    }
    if spec.start_timeout.0 <= 0.0 {
        look.fault(&["server", "start_timeout"], "`server.start_timeout` is longer than 0", "write `\"10m\"`");
    }
    let uses = |field: &str| spec.command.iter().chain(spec.env.values()).any(|text| template::names(text, field));
    if target.kind == TargetKind::Http && has_no_port(target) && !uses("port") && !uses("url") && !uses("target.url") {
        let message = "port 0 of `target.url` has bench choose a free port, and `{port}` does not stand in the command";
        look.fault(&["server", "command"], message, "add `\"--port\", \"{port}\"`");
    }
}

fn before_it(
    index: usize,
    before: &ProcessSpec,
    spec: &ServerSpec,
    template: &TemplateContext,
    target: &TargetSpec,
    look: &mut RuleReporter<'_>,
) {
    let number = index.to_string();
    let at = ["server", "before", number.as_str()];
    let name_at = ["server", "before", number.as_str(), "name"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if before.name.is_empty() || before.name.len() > 64 || before.name.starts_with('.') || !before.name.chars().all(plain) {
        let message = format!("`{}` cannot name a process, since its log is named after it", look.shown(&name_at));
        look.fault(&name_at, message, "letters, digits, `.`, `_` and `-`, at most 64");
    } else if before.name == "server" {
        look.fault(&name_at, "`server` is the name of the server's own log", "write what it is: `name = \"cache\"`");
    } else if let Some(first) = spec.before[..index].iter().position(|other| other.name == before.name) {
        let message = format!("two processes are named `{}`, and their logs are named after them", look.shown(&name_at));
        let first = first.to_string();
        look.contradiction(&name_at, &["server", "before", first.as_str(), "name"], message, "give each a name of its own");
    }
    let command_at = ["server", "before", number.as_str(), "command"];
    program(&before.command, &command_at, look);
    fields(&before.command, &command_at, template, look);
    let process = ProcessFields { env: &before.env, working_dir: before.working_dir.as_deref(), ready: before.ready.as_ref() };
    process.check(&at, template, target, look);
}

/// What the server and the processes beside it have in common.
struct ProcessFields<'a> {
    env: &'a std::collections::BTreeMap<String, String>,
    working_dir: Option<&'a std::path::Path>,
    ready: Option<&'a ReadySpec>,
}

impl ProcessFields<'_> {
    fn check(&self, at: &[&str], template: &TemplateContext, target: &TargetSpec, look: &mut RuleReporter<'_>) {
        for (name, value) in self.env {
            let path = [at, &["env", name.as_str()]].concat();
            variable(name, value, &path, look);
            field(value, &path, template, look);
        }
        if let Some(folder) = self.working_dir {
            let path = [at, &["working_dir"]].concat();
            let folder = folder.to_string_lossy();
            field(&folder, &path, template, look);
            // A folder of the machine that it will run on need not be where it is only simulated.
            if let Ok(filled) = template.text(&folder)
                && target.kind == TargetKind::Http
                && !std::path::Path::new(&filled).is_dir()
            {
                let message = format!("there is no folder `{}`", look.shown(&path));
                look.fault(&path, message, "paths start at the folder in which the command is given");
            }
        }
        if let Some(ready) = self.ready {
            readiness(ready, &[at, &["ready"]].concat(), template, look);
        }
    }
}

fn readiness(ready: &ReadySpec, at: &[&str], template: &TemplateContext, look: &mut RuleReporter<'_>) {
    let inner = [at, &["path"]].concat();
    let path = if look.is_written(&inner) { inner } else { at.to_vec() };
    field(&ready.path, &path, template, look);
    if template.text(&ready.path).is_ok_and(|filled| !is_place(&filled)) {
        let message = format!("`{}` is neither a path nor a URL", look.shown(&path));
        look.fault(&path, message, "write `\"/health\"`, or a whole URL for a process beside the server");
    }
    if !(100..=599).contains(&ready.status) {
        let message = format!("`{}` is no HTTP status", ready.status);
        look.fault(&[at, &["status"]].concat(), message, "they are 100 to 599; most servers answer 200");
    }
}

/// A command has a program to begin with.
fn program(command: &[String], at: &[&str], look: &mut RuleReporter<'_>) {
    if command.is_empty() {
        look.fault(at, format!("`{}` is empty", at.join(".")), "write the program and its arguments: `[\"vllm\", \"serve\", \"{model}\"]`");
    } else if command.first().is_some_and(|program| program.trim().is_empty()) {
        let message = format!("the first word of `{}` is the program, and it is empty", at.join("."));
        look.fault(at, message, "write `[\"vllm\", \"serve\", \"{model}\"]`");
    }
}

/// Flags are single values or lists of such.
fn flags(spec: &ServerSpec, look: &mut RuleReporter<'_>) {
    for (name, value) in &spec.args {
        let path = ["server", "args", name.as_str()];
        if name.trim().is_empty() || name.contains(char::is_whitespace) {
            look.fault(
                &path,
                format!("`{name}` is no name of a flag"),
                "write it as the server does, without the dashes: `max-num-seqs = 16`",
            );
        }
        let nested = value.as_array().is_some_and(|items| items.iter().any(|item| item.is_array() || item.is_boolean() || item.is_null()));
        if nested {
            look.fault(
                &path,
                format!("the list of `{name}` holds more than texts and numbers"),
                "a flag is given once, with the list's values after it",
            );
        }
    }
}

fn fields(texts: &[String], at: &[&str], template: &TemplateContext, look: &mut RuleReporter<'_>) {
    for (index, text) in texts.iter().enumerate() {
        let number = index.to_string();
        field(text, &[at, &[number.as_str()]].concat(), template, look);
    }
}

/// A text whose fields must stand for something.
fn field(text: &str, path: &[&str], template: &TemplateContext, look: &mut RuleReporter<'_>) {
    let Err(unknown) = template.text(text) else { return };
    let literal = format!("`{{{{{}}}}}` stands for the characters themselves", unknown.name);
    let hint = match closest(&unknown.name, unknown.known.iter().map(String::as_str)) {
        Some(likely) => format!("did you mean `{{{likely}}}`? {literal}"),
        None => format!(
            "there are `{{model}}`, `{{url}}`, `{{host}}`, `{{port}}`, `{{args}}`, `{{server.args.NAME}}` and `{{target.NAME}}`; {literal}"
        ),
    };
    look.fault(path, unknown.to_string(), hint);
}

/// A secret is taken from the environment, never written.
fn variable(name: &str, value: &str, path: &[&str], look: &mut RuleReporter<'_>) {
    if name.is_empty() || name.contains(['=', '\0']) {
        look.fault(path, format!("`{name}` is no name of an environment variable"), "letters, digits and `_`");
    }
    let secret = name.to_uppercase().split(|c: char| !c.is_ascii_alphanumeric()).any(|word| SECRET_WORDS.contains(&word));
    let written = look.document.find(path).and_then(|node| node.as_text()).is_some_and(|text| text.secret.is_none());
    if secret && written && !value.is_empty() {
        let message = format!("the secret in `{name}` would be saved with every result, since the scenario is saved as it is written");
        let hint = format!("take it from the environment: `{name} = \"${{{name}}}\"`; what is set there already need not be said at all");
        look.fault(path, message, hint);
    }
}

fn resets(spec: &ServerSpec, template: &TemplateContext, look: &mut RuleReporter<'_>) {
    for (index, step) in spec.reset.steps().iter().enumerate() {
        let number = index.to_string();
        let path = ["server", "reset", number.as_str()];
        match step {
            ResetStep::Endpoint(reset) if !is_place(reset) => {
                let message = format!("`{}` is neither a path nor a URL", look.shown(&path));
                look.fault(&path, message, "write `\"/reset_prefix_cache\"`, or a whole URL for a cache that lives elsewhere");
            }
            ResetStep::Endpoint(_) => {}
            ResetStep::Command(reset) => {
                let at = ["server", "reset", number.as_str(), "command"];
                program(&reset.command, &at, look);
                fields(&reset.command, &at, template, look);
            }
        }
    }
}

fn watch(spec: &ServerSpec, look: &mut RuleReporter<'_>) {
    if spec.watch.period.0 <= 0.0 {
        look.fault(&["server", "watch", "period"], "`server.watch.period` is longer than 0", "write `\"1s\"`");
    }
    for (index, place) in spec.watch.endpoints.iter().enumerate() {
        let number = index.to_string();
        let path = ["server", "watch", "endpoints", number.as_str()];
        if !is_place(place) {
            let message = format!("`{}` is neither a path nor a URL", look.shown(&path));
            look.fault(&path, message, "write `\"/metrics\"`, or a whole URL for an exporter that listens elsewhere");
        }
    }
    for page in spec.watch.roles.keys().filter(|page| !spec.watch.endpoints.contains(page)) {
        let message = format!("`{page}` in `server.watch.roles` is none of `server.watch.endpoints`");
        look.fault(&["server", "watch", "roles", page], message, "write the page as it stands in `endpoints`, or add it there");
    }
}

/// A path on the target's server, or a URL.
fn is_place(place: &str) -> bool {
    place.starts_with('/') || is_base_url(place.split('?').next().unwrap_or_default()).is_ok()
}

/// Whether a free port is to be chosen.
fn has_no_port(target: &TargetSpec) -> bool {
    template::host_and_port(&target.url).is_some_and(|(_, port)| port == 0)
}
