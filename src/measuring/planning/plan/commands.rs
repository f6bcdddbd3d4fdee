//! The commands that runs will start, as a person reads them before they do: each once, whole, with its fields filled in and without what
//! came from the environment. Pure; starts nothing.

use super::Run;
use crate::planning::scenario::CellSpec;
use crate::vocabulary::spec::reset::ResetStep;
use crate::vocabulary::spec::target::TargetKind;
use crate::vocabulary::template::{CommandMode, TemplateContext, quoted_all};

/// A command of the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandPreview {
    /// The field that it stands in: `server.command`.
    pub field: String,
    /// As a shell would take it. Control characters are escaped, so that it cannot play tricks on a terminal.
    pub text: String,
}

/// The commands of these runs, each once, in the order in which they are first needed. Nothing of runs that are simulated. A port of 0 is
/// shown as it is: a free one takes its place.
pub fn shown_commands<'a>(runs: impl IntoIterator<Item = &'a Run>) -> Vec<CommandPreview> {
    let mut shown: Vec<CommandPreview> = Vec::new();
    for run in runs {
        if run.cell.target.kind != TargetKind::Http {
            continue;
        }
        for command in of_cell(&run.cell) {
            if !shown.contains(&command) {
                shown.push(command);
            }
        }
    }
    shown
}

fn of_cell(cell: &CellSpec) -> Vec<CommandPreview> {
    let mask = cell.mask();
    let template = TemplateContext::new(&cell.target, &cell.server.args);
    let mut commands = Vec::new();
    let mut add = |field: &str, words: &[String], kind: CommandMode| {
        let text = match kind {
            CommandMode::Direct => quoted_all(words),
            CommandMode::Shell => words.join(" "),
        };
        commands.push(CommandPreview { field: field.to_owned(), text: escaped(&mask.hide(text)) });
    };
    if let Some(command) = &cell.target.api_key_command {
        add("target.api_key_command", command, CommandMode::Direct);
    }
    // An unknown field is a fault of the scenario, found before; the command as written is shown all the same.
    let filled = |command: &[String], kind: CommandMode| template.command(command, kind).unwrap_or_else(|_| command.to_vec());
    if cell.server.is_started() {
        for before in &cell.server.before {
            let kind = CommandMode::of(before.shell);
            add(&format!("server.before `{}`", before.name), &filled(&before.command, kind), kind);
        }
        let command = template.server_command(&cell.server).unwrap_or_else(|_| cell.server.command.clone());
        add("server.command", &command, CommandMode::of(cell.server.shell));
    }
    for step in cell.server.reset.steps() {
        if let ResetStep::Command(reset) = step {
            let kind = CommandMode::of(reset.shell);
            add("server.reset", &filled(&reset.command, kind), kind);
        }
    }
    commands
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() { escaped.extend(character.escape_default()) } else { escaped.push(character) }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::planning::plan::Plan;
    use crate::planning::scenario::{ScenarioOverrides, load_text_with};

    fn commands(text: &str) -> Vec<(String, String)> {
        let lookup = |name: &str| (name == "KEY").then(|| "planted-secret".to_owned());
        let scenario = load_text_with(Path::new("test.toml"), text, &ScenarioOverrides::default(), &lookup)
            .unwrap_or_else(|faults| panic!("{faults}"));
        let plan = Plan::new(&scenario).unwrap();
        shown_commands(&plan.runs).into_iter().map(|command| (command.field, command.text)).collect()
    }

    const SCENARIO: &str = r#"
[workload]
kind = "document_qa"
documents = { synthetic_tokens = 10 }
[target]
model = "org/m"
url = "http://127.0.0.1:0"
api_key_command = ["pass", "show", "my key"]
[server]
command = ["serve", "{model}", "--api-key", "${KEY}", "--port", "{port}"]
before = [{ name = "cache", command = ["cache | tee {model}"], shell = true }]
reset = ["/reset", { command = ["clear", "\u001b[2J"] }]
[matrix]
concurrent = [1, 2]
"#;

    #[test]
    fn each_command_is_shown_once_whole_and_without_what_came_from_the_environment() {
        let expected = [
            ("target.api_key_command", "pass show 'my key'"),
            ("server.before `cache`", "cache | tee org/m"),
            ("server.command", "serve org/m --api-key ${KEY} --port 0"),
            ("server.reset", "clear '\\u{1b}[2J'"),
        ];
        assert_eq!(commands(SCENARIO), expected.map(|(field, text)| (field.to_owned(), text.to_owned())));
    }

    #[test]
    fn a_simulated_run_has_none() {
        assert_eq!(commands(&SCENARIO.replace("[target]", "[target]\nkind = \"sim\"")), []);
    }
}
