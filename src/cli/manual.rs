//! Completions and manual pages, made from the arguments.

use std::{fs, io, path::Path};

use clap::Command;

/// Prints the completions of a shell.
pub fn completions(shell: clap_complete::Shell, command: &mut Command) {
    clap_complete::generate(shell, command, "tieline", &mut io::stdout());
}

/// Writes a manual page for the program and for each command.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(folder: &Path, command: Command) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}
