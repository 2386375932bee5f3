//! Where reports go: standard output or files, several at a time.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edgeproof_diagnostics::{Colour, one_line};
use edgeproof_report::{
    Baseline, Format, Level, Options, Output, Reporter, Root, Run, Summary, exit_code, reporter,
};
use edgeproof_runner::event::{Event, Verdict};

use crate::failure::Failure;

/// All reporters of one run, and what the run comes to.
pub(crate) struct Outputs {
    reports: Vec<Report>,
    on_standard_output: bool,
    run: Run,
    baseline: Option<Arc<Baseline>>,
}

/// One report on its way.
struct Report {
    /// `junit to out/junit.xml`.
    name: String,
    reporter: Box<dyn Reporter>,
    /// Where it is written until it is whole, where that is not its place.
    partial: Option<Partial>,
    /// Nothing of it was lost so far: only then may it take a former one's place.
    whole: bool,
}

/// A file beside the place that it takes once it is whole. Nothing is left of one that never is.
struct Partial {
    written: PathBuf,
    meant: PathBuf,
}

impl Partial {
    fn take_place(self) -> io::Result<()> {
        std::fs::rename(&self.written, &self.meant)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // There is none once it has taken its place.
        let _ = std::fs::remove_file(&self.written);
    }
}

impl Outputs {
    /// Opens what was asked for; the human report on standard output where nothing was.
    pub(crate) fn open(
        asked: &[Output],
        level: Level,
        baseline: Option<Baseline>,
    ) -> Result<Self, Failure> {
        let default = [Output { format: Format::Human, file: None }];
        let asked = if asked.is_empty() { &default } else { asked };
        one_place_each(asked)?;
        let baseline = baseline.map(Arc::new);
        let mut reports = Vec::new();
        for output in asked {
            let options = options(output, level, baseline.clone());
            let mut partial = None;
            let reporter = match &output.file {
                None => reporter(output.format, io::stdout(), options),
                Some(file) => {
                    let written = beside(file, output.format);
                    let opened = BufWriter::new(create(&written)?);
                    if written != *file {
                        partial = Some(Partial { written, meant: file.clone() });
                    }
                    reporter(output.format, opened, options)
                }
            };
            let place =
                output.file.as_deref().map_or("standard output".into(), Path::to_string_lossy);
            let name = format!("{} to {place}", output.format);
            reports.push(Report { name, reporter, partial, whole: true });
        }
        let on_standard_output = asked.iter().any(|output| output.file.is_none());
        Ok(Self { reports, on_standard_output, run: Run::default(), baseline })
    }

    /// Hands an event to every reporter.
    pub(crate) fn event(&mut self, event: &Event) -> Result<(), Failure> {
        self.run.listen(event);
        self.each(|reporter| reporter.event(event))
    }

    /// Lets the reporters write the rest, and says what the run comes to. Where all reports went to
    /// files, a line on standard error says it to people.
    pub(crate) fn finish(mut self, level: Level) -> Result<Summary, Failure> {
        let mut outcome = self.each(|reporter| reporter.finish());
        for Report { name, reporter, partial, whole } in std::mem::take(&mut self.reports) {
            drop(reporter);
            if let Some(partial) = partial.filter(|_| whole) {
                let named = partial.take_place();
                outcome = outcome.and(named.map_err(|error| Failure::write(&name, &error)));
            }
        }
        outcome?;
        let summary = Summary::of(&self.run, self.baseline.as_deref());
        if !self.on_standard_output {
            let code = exit_code(&summary, level);
            let counts = Verdict::ALL.map(|verdict| (summary.counts.of(verdict), verdict.as_str()));
            let counts = counts.into_iter().chain([(summary.played_again, "played again")]);
            let counts = counts.filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
            let counts = counts.collect::<Vec<_>>().join(", ");
            eprintln!("edgeproof: {} (exit {}): {counts}", code.meaning(), code.code());
        }
        Ok(summary)
    }

    fn each(&mut self, write: impl Fn(&mut dyn Reporter) -> io::Result<()>) -> Result<(), Failure> {
        let mut outcome = Ok(());
        for report in &mut self.reports {
            match write(report.reporter.as_mut()) {
                // A reader that went away (`| head`) has seen what it wanted; the exit code still stands.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                // One output that cannot be written takes none of the others with it.
                Err(error) => {
                    report.whole = false;
                    outcome = outcome.and(Err(Failure::write(&report.name, &error)));
                }
                Ok(()) => {}
            }
        }
        outcome
    }
}

fn one_place_each(asked: &[Output]) -> Result<(), Failure> {
    for (index, output) in asked.iter().enumerate() {
        if asked[..index].iter().any(|earlier| earlier.file == output.file) {
            let place =
                output.file.as_deref().map_or("standard output".into(), Path::to_string_lossy);
            return Err(Failure::Usage(format!(
                "two formats go to {place}: give one of them a file, as in `--format {}=FILE`",
                output.format
            )));
        }
    }
    Ok(())
}

fn options(output: &Output, level: Level, baseline: Option<Arc<Baseline>>) -> Options {
    let on_terminal = output.file.is_none() && io::stdout().is_terminal();
    Options {
        color: output.file.is_none() && matches!(Colour::of(&io::stdout()), Colour::Always),
        width: match terminal_size::terminal_size() {
            Some((terminal_size::Width(columns), _)) if on_terminal => usize::from(columns).max(40),
            _ => 80,
        },
        progress: on_terminal && io::stderr().is_terminal(),
        gate: level,
        root: root(),
        baseline,
    }
}

/// Where annotations' paths begin: GitHub takes them from the root of the repository, wherever a step works.
fn root() -> Option<Root> {
    let repository = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let repository = repository.and_then(|folder| folder.canonicalize().ok());
    Some(Root { current: std::env::current_dir().ok()?, repository })
}

pub(crate) fn read_baseline(file: &Path) -> Result<Baseline, Failure> {
    let opened = File::open(file).map_err(|error| Failure::read(file, &error))?;
    Baseline::read(BufReader::new(opened))
        .map_err(|error| Failure::Usage(format!("--baseline {}: {error}", file.display())))
}

/// Takes former reports away where a run ends before it plays, lest they be taken for its own. What the run
/// was to read, and what is no plain file (a pipe), stays.
pub(crate) fn withdraw(asked: &[Output], baseline: Option<&Path>) {
    let read = baseline.and_then(|file| file.canonicalize().ok());
    for file in asked.iter().filter_map(|output| output.file.as_deref()) {
        let is_read = read.is_some() && file.canonicalize().ok() == read;
        if is_read || !std::fs::metadata(file).is_ok_and(|found| found.is_file()) {
            continue;
        }
        if let Err(error) = std::fs::remove_file(file) {
            eprintln!(
                "warning: {} is of a former run: {error}",
                one_line(&file.display().to_string())
            );
        }
    }
}

/// Where a report is written until it is whole, so that a run that is killed leaves the former one. A
/// stream of events is worth having as far as it came, and what is no plain file (a pipe) keeps its name.
fn beside(file: &Path, format: Format) -> PathBuf {
    let special = std::fs::metadata(file).is_ok_and(|found| !found.is_file());
    if format == Format::Events || special {
        return file.to_owned();
    }
    let mut name = file.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

fn create(file: &PathBuf) -> Result<File, Failure> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::Usage(format!("cannot make the folder {}: {error}", folder.display()))
        })?;
    }
    File::create(file)
        .map_err(|error| Failure::Usage(format!("cannot write {}: {error}", file.display())))
}

/// Flushes standard output; a reader that went away (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::write("standard output", &error))
        }
        _ => Ok(()),
    }
}
