//! `bench completions`: what a shell needs to complete the command line, and the man page.

use clap::CommandFactory;
use clap_complete::Shell;

use super::ExitReason;
use super::stdout::print;
use crate::cli::{Cli, CompletionsArgs, CompletionsFormat};

pub fn run(args: &CompletionsArgs) -> anyhow::Result<ExitReason> {
    print(&String::from_utf8(generated(args.shell)?)?)?;
    Ok(ExitReason::Success)
}

fn generated(kind: CompletionsFormat) -> std::io::Result<Vec<u8>> {
    let mut command = Cli::command();
    let shell = match kind {
        CompletionsFormat::Bash => Shell::Bash,
        CompletionsFormat::Zsh => Shell::Zsh,
        CompletionsFormat::Fish => Shell::Fish,
        CompletionsFormat::Elvish => Shell::Elvish,
        CompletionsFormat::Powershell => Shell::PowerShell,
        CompletionsFormat::Man => return man(command),
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "bench", &mut text);
    Ok(text)
}

/// One page with every subcommand's flags, rather than a page each: it can be read through, and there is one file to install.
fn man(mut command: clap::Command) -> std::io::Result<Vec<u8>> {
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    let mut names = Vec::new();
    collect(&command, &mut names);
    for subcommand in names {
        let title = subcommand.get_bin_name().unwrap_or_default().to_uppercase();
        page.extend(format!(".SH {title}\n").into_bytes());
        let man = clap_mangen::Man::new(subcommand);
        man.render_description_section(&mut page)?;
        man.render_synopsis_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    Ok(page)
}

/// Every subcommand that does something itself, in the order of `bench --help`.
fn collect(command: &clap::Command, found: &mut Vec<clap::Command>) {
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help" && !subcommand.is_hide_set()) {
        if subcommand.has_subcommands() {
            collect(subcommand, found);
        } else {
            found.push(subcommand.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_and_the_man_page_know_every_verb() {
        let all = [
            CompletionsFormat::Bash,
            CompletionsFormat::Zsh,
            CompletionsFormat::Fish,
            CompletionsFormat::Elvish,
            CompletionsFormat::Powershell,
            CompletionsFormat::Man,
        ];
        for kind in all {
            let text = String::from_utf8(generated(kind).unwrap()).unwrap();
            for word in ["sweep", "check", "simulate"] {
                assert!(text.contains(word), "{kind:?} lacks {word}");
            }
        }
    }
}
