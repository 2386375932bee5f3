//! Words that are compared with those in `golden/`.

use std::path::Path;
use std::process::Output;

/// The command, standard output, standard error and exit code as one text.
pub(crate) fn words(command: &str, output: &Output) -> String {
    format!(
        "$ edgeproof {command}\n{}{}exit code {}\n",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().expect("an exit code")
    )
}

/// Compares with `golden/NAME.snap`.
pub(crate) fn golden(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden")));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
