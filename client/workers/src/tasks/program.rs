// SPDX-License-Identifier: Apache-2.0

//! A look at the program of a worker before the worker begins: one that is not there would be noticed
//! only when a task was joined and its stake held.
//!
//! The shell runs the command, and only the shell knows what it means. So this looks at the words in
//! front of it that mean themselves, and takes everything else for good.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tos_sdk::error::Error;

/// Reason for which a command cannot be run as it is.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// There are no words in it.
    #[error("the command is empty")]
    Empty,
    /// It is in no folder of `PATH`, and the shell has no command of this name.
    #[error("there is no program `{0}` in the folders of PATH")]
    NotInPath(String),
    /// The file cannot be looked at, or a script not be read: as a rule it does not exist.
    #[error("{}: {why}", .path.display())]
    Unreadable {
        /// The file, by its full path.
        path: PathBuf,
        /// The answer of the system.
        why: io::Error,
    },
    /// It is a folder, or something else that is no file.
    #[error("{}: it is no file", .0.display())]
    NoFile(PathBuf),
    /// Its file may be executed by none.
    #[error("{}: it is not executable; `chmod +x` makes it so", .0.display())]
    NotExecutable(PathBuf),
    /// There is no shell to ask.
    #[error("/bin/sh: {0}")]
    NoShell(io::Error),
}

/// The command that the shell shall run for `option`, if its program is there.
///
/// # Errors
/// [`Error::Usage`] with the option and a [`ProgramError`].
pub fn existing(option: &str, command: String) -> Result<String, Error> {
    match check(&command) {
        Ok(()) => Ok(command),
        Err(error) => Err(Error::Usage(format!("{option}: {error}"))),
    }
}

/// Checks that the program of a command is there, and the script that an interpreter shall read.
///
/// # Errors
/// One of [`ProgramError`], for what is certain to fail. Without certainty there is none.
fn check(command: &str) -> Result<(), ProgramError> {
    if command.trim().is_empty() {
        return Err(ProgramError::Empty);
    }
    let words = literal_words(command);
    let settings = words.iter().take_while(|word| is_assignment(word)).count();
    let (settings, words) = words.split_at(settings);
    // With another PATH the shell finds other programs.
    if settings.iter().any(|word| word.starts_with("PATH=")) {
        return Ok(());
    }
    let Some((program, arguments)) = words.split_first() else {
        return Ok(());
    };
    if program.contains('/') {
        executable(Path::new(program))?;
    } else if !is_known_to_the_shell(program).map_err(ProgramError::NoShell)? {
        return Err(ProgramError::NotInPath(program.clone()));
    }
    match arguments.first() {
        Some(script) if reads_as_script(program, script) => {
            let opened = fs::File::open(script);
            opened.map(drop).map_err(|why| unreadable(script, why))
        }
        _ => Ok(()),
    }
}

/// Checks that a file can be executed by some account.
fn executable(path: &Path) -> Result<(), ProgramError> {
    let meta = fs::metadata(path).map_err(|why| unreadable(path, why))?;
    if !meta.is_file() {
        return Err(ProgramError::NoFile(full(path)));
    }
    match meta.permissions().mode() & 0o111 {
        0 => Err(ProgramError::NotExecutable(full(path))),
        _ => Ok(()),
    }
}

fn unreadable(path: impl AsRef<Path>, why: io::Error) -> ProgramError {
    let path = full(path.as_ref());
    ProgramError::Unreadable { path, why }
}

/// The path from the root: a relative one is often wrong because the worker starts in another folder.
fn full(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// `true` if the shell has a command of this name, or finds a program in its PATH.
fn is_known_to_the_shell(name: &str) -> io::Result<bool> {
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "command -v \"$1\"", "sh", name])
        .env_remove(tos_sdk::keystore::PASSWORD_VARIABLE)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(shell.status()?.success())
}

/// `true` if the program is an interpreter that takes this first argument for the path of a script, and
/// looks for it nowhere else.
fn reads_as_script(program: &str, argument: &str) -> bool {
    if argument.starts_with('-') {
        return false;
    }
    let name = program.rsplit('/').next().unwrap_or_default();
    match name {
        "perl" | "ruby" => true,
        // Without a slash a shell may also look in PATH.
        "sh" | "bash" | "dash" => argument.contains('/'),
        // It adds endings to names that have none.
        "node" => argument.ends_with("js"),
        name => {
            let version = name.strip_prefix("python");
            version.is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
        }
    }
}

/// `true` for a word that sets a variable for the program behind it.
fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else {
        return false;
    };
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

/// The first words of a shell command without quotes, up to what the shell puts something else in the
/// place of, or what ends the command.
fn literal_words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = command.chars();
    while let Some(next) = rest.next() {
        match next {
            ' ' | '\t' => words.extend(word.take()),
            '\n' | ';' | '|' | '&' | '<' | '>' => {
                // A number in front of an arrow is a file descriptor.
                let is_arrow = matches!(next, '<' | '>');
                let ended = word.take();
                words.extend(ended.filter(|word| !is_arrow || word.parse::<u32>().is_err()));
                return words;
            }
            '#' if word.is_none() => return words,
            '\'' | '"' => match quoted(next, rest.as_str()) {
                Some(text) => {
                    word.get_or_insert_default().push_str(text);
                    // What stands behind the second quote.
                    let behind = rest.as_str().get(text.len() + 1..);
                    rest = behind.unwrap_or_default().chars();
                }
                None => return words,
            },
            '$' | '`' | '\\' | '*' | '?' | '[' | '{' | '}' | '~' | '(' | ')' => return words,
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

/// The text up to the quote that ends it, if it means itself.
fn quoted(quote: char, rest: &str) -> Option<&str> {
    let (text, _) = rest.split_once(quote)?;
    let is_literal = quote == '\'' || !text.contains(['$', '`', '\\']);
    is_literal.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with these permissions in a folder of its own.
    fn file(mode: u32) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("solve");
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let path = path.to_str().unwrap().to_owned();
        (folder, path)
    }

    #[test]
    fn a_program_that_does_not_exist_is_refused_with_option_and_path() {
        let (folder, path) = file(0o755);
        let gone = format!("{path}.gone");
        for command in [
            gone.clone(),
            format!("{gone} --fast"),
            format!("OMP_NUM_THREADS=1 '{gone}' 2>/dev/null"),
            format!("\"{gone}\" | tee log"),
            format!("python3 {gone}"),
            format!("sh {gone} x; true"),
        ] {
            let error = existing("--solver-cmd", command.clone()).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{command}");
            let told = error.to_string();
            assert!(told.starts_with("--solver-cmd: "), "{told}");
            assert!(told.contains(&format!("{gone}: ")), "{told}");
        }
        let error = check(folder.path().to_str().unwrap()).unwrap_err();
        assert!(matches!(error, ProgramError::NoFile(_)), "{error}");
    }

    #[test]
    fn a_relative_path_is_told_in_full() {
        let told = check("python3 no/such/judge.py").unwrap_err().to_string();
        let full = std::env::current_dir().unwrap().join("no/such/judge.py");
        assert!(told.contains(full.to_str().unwrap()), "{told}");
    }

    #[test]
    fn a_file_that_none_may_execute_is_refused_as_a_program_but_not_as_a_script() {
        let (_folder, path) = file(0o644);
        let error = check(&path).unwrap_err();
        assert!(matches!(error, ProgramError::NotExecutable(_)), "{error}");
        let told = error.to_string();
        assert!(told.contains(&path) && told.contains("chmod +x"), "{told}");
        check(&format!("sh {path}")).unwrap();
    }

    #[test]
    fn a_name_that_the_shell_does_not_know_is_refused() {
        let error = check("tos-no-such-solver --fast").unwrap_err();
        let ProgramError::NotInPath(name) = error else {
            panic!("{error}");
        };
        assert_eq!(name, "tos-no-such-solver");
        assert!(matches!(check("  \n"), Err(ProgramError::Empty)));
    }

    #[test]
    fn a_command_that_runs_or_that_only_the_shell_understands_is_taken() {
        let (_folder, path) = file(0o755);
        let exec = format!("exec {path}");
        for command in [
            path.as_str(),
            exec.as_str(),
            "exit 1",
            "printf '{}'",
            "X=1 true > /dev/null",
            "cd / && ./no-such-program",
            "if true; then ./no-such-program; fi",
            "sh -c './no-such-program'",
            "sh no-such-script-without-slash",
            "$HOME/no-such-program",
            "~/no-such-program",
            "PATH=/nowhere no-such-program",
            "2>/dev/null no-such-program",
            "./no-such-'program",
            "# no-such-program",
        ] {
            check(command).unwrap_or_else(|error| panic!("{command}: {error}"));
        }
    }
}
