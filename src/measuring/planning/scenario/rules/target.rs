//! Rules of `[target]`.

use super::RuleReporter;
use super::file_lookup_cache::unread;
use crate::foundation::named_file::NamedFile;
use crate::planning::scenario::environment::Lookup;
use crate::planning::scenario::redaction::is_variable;
use crate::vocabulary::spec::target::{TargetKind, TargetSpec};
use crate::vocabulary::spec::target_api::TargetApi;

/// Headers whose values are secrets by their nature.
const SECRET_HEADERS: [&str; 5] = ["authorization", "proxy-authorization", "api-key", "x-api-key", "cookie"];

/// Parts of the names of a query's parameters whose values are secrets.
const SECRET_PARAMETERS: [&str; 8] = ["key", "token", "secret", "password", "sig", "auth", "code", "credential"];

pub fn check(spec: &TargetSpec, lookup: Lookup<'_>, look: &mut RuleReporter<'_>) {
    if spec.model.trim().is_empty() {
        look.fault(&["target", "model"], "`target.model` is empty", "write the name that the server lists under `/v1/models`");
    }
    headers(spec, look);
    fields(spec, look);
    if let Some(gpus) = spec.gpus {
        look.at_least_one(&["target", "gpus"], gpus.into());
    }
    if let Some(price) = spec.price_per_hour.filter(|price| !(price.is_finite() && *price > 0.0)) {
        let message = format!("`target.price_per_hour` is a number above 0, not {price}");
        look.fault(&["target", "price_per_hour"], message, "write what the whole target costs an hour, or leave it out");
    }
    if let Some(limit) = spec.context_limit {
        look.at_least_one(&["target", "context_limit"], limit.0);
    }
    if spec.kind == TargetKind::Http {
        url(spec, look);
        key(spec, lookup, look);
        timeouts(spec, look);
        certificates(spec, look);
        if let Some(reason) = spec.tokenizer.as_ref().and_then(|file| unread(NamedFile::Tokenizer, file)) {
            let message = format!("cannot read the tokenizer `{}`: {reason}", look.shown(&["target", "tokenizer"]));
            look.fault(&["target", "tokenizer"], message, "name the `tokenizer.json` in the model's folder, or leave it out");
        }
    }
}

/// Answers can be compared only where the most probable token is always taken, which requests ask for unless they are told otherwise.
pub fn greedy(spec: &TargetSpec, look: &mut RuleReporter<'_>) {
    let sampled = spec.body.get("temperature").is_some_and(|temperature| temperature.as_f64() != Some(0.0));
    if sampled || spec.omit.iter().any(|field| field == "temperature") {
        let path: &[&str] = if sampled { &["target", "body", "temperature"] } else { &["target", "omit"] };
        let message = "`compare_answers` needs greedy decoding: with another temperature than 0 equal prompts get different answers";
        look.fault(path, message, "leave `temperature` to its default, 0, or leave `compare_answers` out");
    }
}

/// What is set in a body must not belong to another field of the scenario; what is left out of one, or named otherwise, must be a field that it has.
fn fields(spec: &TargetSpec, look: &mut RuleReporter<'_>) {
    let conversation = || ["messages", "prompt"].iter().chain(spec.api.conversation_fields()).copied();
    for name in spec.body.keys() {
        let why = match name.as_str() {
            name if conversation().any(|field| field == name) => "the workload says what is sent",
            "stream" => "only streams can be measured",
            "model" => "write `target.model`",
            name if name == spec.api.length_field() => "write `workload.answer_tokens`",
            _ => continue,
        };
        look.fault(&["target", "body", name], format!("`{name}` is not to be set in `target.body`"), why);
    }
    let own = spec.api.own_fields();
    let sent = |name: &str| own.contains(&name) || spec.body.contains_key(name);
    let hint = || {
        let own = own.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        format!("bodies have {own}, and what `target.body` adds; the conversation and `stream` always stand there")
    };
    for path in &spec.omit {
        if !sent(path.split('.').next().unwrap_or_default()) {
            look.fault(&["target", "omit"], format!("`{path}` is no field of a request's body that may be left out"), hint());
        }
    }
    for (name, other) in &spec.rename {
        let path = ["target", "rename", name.as_str()];
        let is_omitted = spec.omit.contains(name);
        if !sent(name) || is_omitted {
            look.fault(&path, format!("`{name}` is no field of a request's body that may be renamed"), hint());
        } else if other.is_empty() || sent(other) && other != name || other == "stream" || conversation().any(|field| field == other) {
            look.fault(&path, format!("`{name}` cannot be sent as `{other}`"), "write a name that no other field of the body has");
        }
    }
}

fn url(spec: &TargetSpec, look: &mut RuleReporter<'_>) {
    if spec.urls.is_empty() {
        return address(&spec.url, &["target", "url"], spec.api, look);
    }
    for (number, url) in spec.urls.iter().enumerate() {
        address(url, &["target", "urls", &number.to_string()], spec.api, look);
    }
    if look.is_written(&["target", "url"]) {
        let message = "`target.url` and `target.urls` both say where the servers are";
        look.contradiction(&["target", "urls"], &["target", "url"], message, "leave one of them out");
    }
    if look.is_written(&["server", "command"]) {
        let message = "`server.command` starts one server, and `target.urls` names several";
        look.contradiction(&["target", "urls"], &["server", "command"], message, "leave one of them out");
    }
}

fn address(url: &str, path: &[&str], api: TargetApi, look: &mut RuleReporter<'_>) {
    let shown = bare(&look.shown(path));
    if let Err(reason) = is_base_url(url) {
        let message = format!("`{shown}` is no base URL: {reason}");
        look.fault(path, message, "write `url = \"http://127.0.0.1:8000\"`, with or without `/v1`");
        return;
    }
    let whole = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    if let Some(named) = TargetApi::of_endpoint(whole).filter(|named| *named != api) {
        let message = format!("`{shown}` is the endpoint of `{}`, and `{}` is asked", named.name(), api.name());
        look.fault(path, message, format!("write `api = \"{}\"`, or the URL before the endpoint", named.name()));
    }
    let is_written = look.document.find(path).and_then(|node| node.as_text()).is_none_or(|text| text.secret.is_none());
    if let Some(name) = secret_parameter(url).filter(|_| is_written) {
        let message = format!("the value of `{name}` in the query of a server's address would be saved with every result");
        look.fault(path, message, format!("take it from the environment: `?{name}=${{API_KEY}}`, or use `target.headers`"));
    }
}

/// The first parameter of a URL's query whose value looks like a secret by its name.
fn secret_parameter(url: &str) -> Option<&str> {
    let query = url.split('#').next()?.split_once('?')?.1;
    let mut names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    names.find(|name| SECRET_PARAMETERS.iter().any(|part| name.to_lowercase().contains(part)))
}

/// A URL without what may be a secret in it: what stands before an `@`, and a query.
fn bare(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.rsplit_once('@') {
        Some((before, after)) => format!("{}{after}", before.find("://").map_or("", |end| &before[..end + 3])),
        None => url.to_owned(),
    }
}

/// Why a text cannot be a base URL.
pub fn is_base_url(text: &str) -> Result<(), &'static str> {
    let Some((scheme, rest)) = text.split_once("://") else { return Err("it does not begin with `http://` or `https://`") };
    if !matches!(scheme, "http" | "https") {
        return Err("it does not begin with `http://` or `https://`");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("a name and password in it would be saved; use `target.api_key_env` or `target.headers`");
    }
    if rest.contains('#') {
        return Err("it ends in a fragment, which no server is sent");
    }
    let uri: http::Uri = text.parse().map_err(|_| "it is not well-formed")?;
    match uri.host() {
        None | Some("") => Err("it names no host"),
        Some(_) => Ok(()),
    }
}

fn key(spec: &TargetSpec, lookup: Lookup<'_>, look: &mut RuleReporter<'_>) {
    let places = [
        ("api_key_env", spec.api_key_env.is_some()),
        ("api_key_file", spec.api_key_file.is_some()),
        ("api_key_command", spec.api_key_command.is_some()),
    ];
    let mut given = places.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name);
    let first = given.next();
    if let (Some(one), Some(other)) = (first, given.next()) {
        let message = format!("`target.{one}` and `target.{other}` both say where the API key is");
        look.contradiction(&["target", other], &["target", one], message, "leave one of them out");
        return;
    }
    let named = spec.headers.keys().any(|name| name.eq_ignore_ascii_case("authorization"));
    if named && first.is_some() {
        let message = "an API key and the header `authorization` both say who is asking";
        look.fault(&["target", "headers"], message, "leave one of them out");
    }
    if let Some(name) = &spec.api_key_env
        && lookup(name).is_none()
    {
        // What does not look like a name may be the key itself.
        let message = if is_variable(name) {
            format!("the environment variable `{name}` is not set")
        } else {
            "there is no environment variable of the name that `target.api_key_env` gives".to_owned()
        };
        look.fault(&["target", "api_key_env"], message, "`target.api_key_env` is the name of the variable, not the key");
    }
    if let Some(file) = &spec.api_key_file
        && let Some(reason) = unread(NamedFile::ApiKey, file)
    {
        let message = format!("cannot read the API key from `{}`: {reason}", look.shown(&["target", "api_key_file"]));
        look.fault(&["target", "api_key_file"], message, "it holds the API key and nothing else");
    }
    if let Some(command) = &spec.api_key_command
        && command.first().is_none_or(|program| program.trim().is_empty())
    {
        let hint = "write the program and its arguments, which print the key: `[\"pass\", \"show\", \"my-key\"]`";
        look.fault(&["target", "api_key_command"], "`target.api_key_command` names no program", hint);
    }
}

fn headers(spec: &TargetSpec, look: &mut RuleReporter<'_>) {
    for (name, value) in &spec.headers {
        let path = ["target", "headers", name.as_str()];
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            look.fault(&path, format!("`{name}` is no name of a header"), "letters, digits and hyphens: `x-tenant`");
        } else if http::HeaderValue::from_str(value).is_err() {
            look.fault(
                &path,
                format!("the value of the header `{name}` cannot be sent"),
                "it holds a line feed or another control character",
            );
        }
        let written = look.document.find(&path).and_then(|node| node.as_text()).is_some_and(|text| text.secret.is_none());
        if written && SECRET_HEADERS.contains(&name.to_lowercase().as_str()) {
            let message = format!("the secret in `{name}` would be saved with every result, since the scenario is saved as it is written");
            look.fault(&path, message, format!("take it from the environment: `{name} = \"Bearer ${{API_KEY}}\"`, or use `api_key_env`"));
        }
    }
}

/// The files of TLS are there, and say one thing.
fn certificates(spec: &TargetSpec, look: &mut RuleReporter<'_>) {
    let files = [("ca_file", &spec.ca_file), ("client_certificate", &spec.client_certificate), ("client_key", &spec.client_key)];
    for (name, file) in files {
        if let Some(reason) = file.as_ref().and_then(|file| unread(NamedFile::Certificates, file)) {
            let message = format!("cannot read `{}`: {reason}", look.shown(&["target", name]));
            look.fault(&["target", name], message, "name a file of certificates or of a key in the PEM form");
        }
    }
    match (&spec.client_certificate, &spec.client_key) {
        (Some(_), None) => {
            look.fault(&["target", "client_certificate"], "`target.client_certificate` needs its key", "name it in `target.client_key`");
        }
        (None, Some(_)) => {
            let hint = "name it in `target.client_certificate`";
            look.fault(&["target", "client_key"], "`target.client_key` needs its certificate", hint);
        }
        _ => {}
    }
    if spec.insecure && spec.ca_file.is_some() {
        let message = "`target.insecure` trusts everybody, and `target.ca_file` says whom to trust";
        look.contradiction(&["target", "insecure"], &["target", "ca_file"], message, "leave one of them out");
    }
}

fn timeouts(spec: &TargetSpec, look: &mut RuleReporter<'_>) {
    for (name, limit) in [
        ("connect_timeout", spec.connect_timeout),
        ("first_token_timeout", spec.first_token_timeout),
        ("idle_timeout", spec.idle_timeout),
        ("total_timeout", spec.total_timeout),
    ] {
        if limit.0 <= 0.0 {
            look.fault(&["target", name], format!("`target.{name}` is longer than 0"), "write `\"60s\"`");
        }
    }
    if spec.first_token_timeout.0 > spec.total_timeout.0 {
        let written = if look.is_written(&["target", "total_timeout"]) { "total_timeout" } else { "first_token_timeout" };
        let message = format!(
            "the limit for a first token, {}, is longer than the one for the whole request, {}",
            spec.first_token_timeout, spec.total_timeout
        );
        look.fault(&["target", written], message, "raise `total_timeout` or lower `first_token_timeout`");
    }
}
