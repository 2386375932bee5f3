//! `edgeproof differ`: the same random requests to two targets, the rules that they fire compared.

mod told;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use edgeproof_diagnostics::Colour;
use edgeproof_report::{ExitCode, Format, Output};
use edgeproof_runner::{Fired, Pair, PairError, RunOptions, Shot};
use edgeproof_target::TargetSpec;
use edgeproof_workbench::differ::{
    Corpus, Difference, Generator, Known, Ledger, Request, Seen, Sides, Wanted, kept, shrink,
};

use crate::args::Differ;
use crate::failure::Failure;
use crate::outputs::print;
use crate::{suite, targets};
use told::Outcome;

/// The known differences of a target, in its folder.
const LISTED: &str = "differences.yaml";
/// Requests that are tried at most to make one smaller.
const MOST_TRIED: usize = 4000;
/// How often progress is shown.
const EVERY: Duration = Duration::from_millis(500);

pub(crate) fn differ(arguments: &Differ) -> Result<ExitCode, Failure> {
    let [first, second] = both(arguments)?;
    let formats = formats(&arguments.format)?;
    let corpus = corpus(&arguments.corpus)?;
    let known = known(arguments, [&first, &second])?;
    if let Some(folder) = &arguments.out {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::write(&folder.display().to_string(), &error))?;
    }
    let sides = Sides { first: first.name.clone(), second: second.name.clone() };
    let options = RunOptions { jobs: usize::from(arguments.jobs), ..RunOptions::default() };
    let mut search = Search {
        pair: Pair::start(&first, &second, &options).map_err(|error| failure(&error))?,
        ledger: Ledger::new(sides, known, usize::from(arguments.examples)),
        arguments,
        began: Instant::now(),
        shown: Instant::now(),
        outcome: Outcome::default(),
    };
    search.outcome.versions = search.pair.versions().map(|version| version.map(str::to_owned));
    search.outcome.seeds = corpus.len();
    let ended = search.all(Generator::new(arguments.seed, corpus));
    let Search { pair, ledger, mut outcome, began, .. } = search;
    pair.stop();
    outcome.duration = began.elapsed();
    // What was found so far is worth telling however it ended.
    match ended {
        Ok(()) => {}
        Err(Failure::Interrupted) => outcome.interrupted = true,
        Err(other) => outcome.broken = Some(other.to_string()),
    }
    for Output { format, file } in &formats {
        let text = match format {
            Format::Json => told::json(&outcome, &ledger, arguments)?,
            _ => told::human(&outcome, &ledger, arguments),
        };
        match file {
            None => print(&text)?,
            Some(file) => std::fs::write(file, text)
                .map_err(|error| Failure::write(&file.display().to_string(), &error))?,
        }
    }
    Ok(match (outcome.interrupted, &outcome.broken) {
        (true, _) => ExitCode::Interrupted,
        (_, Some(why)) => return Err(Failure::Broken(why.clone())),
        _ if ledger.causes().is_empty() => ExitCode::Good,
        _ => ExitCode::Failed,
    })
}

/// A search under way.
struct Search<'a> {
    pair: Pair,
    ledger: Ledger,
    arguments: &'a Differ,
    began: Instant,
    shown: Instant,
    outcome: Outcome,
}

impl Search<'_> {
    /// Until there are enough requests, or the time is up.
    fn all(&mut self, mut generator: Generator) -> Result<(), Failure> {
        loop {
            let left =
                self.arguments.requests.map_or(u64::MAX, |most| most - self.outcome.requests);
            let time = self.arguments.time.is_some_and(|most| self.began.elapsed() >= most);
            if left == 0 || time {
                return Ok(());
            }
            let batch =
                usize::from(self.arguments.jobs).min(usize::try_from(left).unwrap_or(usize::MAX));
            let requests: Vec<_> = (0..batch).map(|_| generator.next_request()).collect();
            let differences = self.differences(&requests)?;
            self.outcome.requests += batch as u64;
            for (request, difference) in requests.into_iter().zip(differences) {
                let Some(difference) = difference else {
                    self.outcome.unreadable += 1;
                    continue;
                };
                if let Seen::New(wanted) = self.ledger.see(&request.wire(), &difference) {
                    self.look_into(request, &wanted)?;
                }
            }
            self.progress();
        }
    }

    /// In what the two differ, for each request; `None` where a log does not tell it.
    fn differences(&self, requests: &[Request]) -> Result<Vec<Option<Difference>>, Failure> {
        let shot = |it: &Request| Shot { bytes: it.wire(), half_close: it.half_closes() };
        let shots: Vec<_> = requests.iter().map(shot).collect();
        let fired = self.pair.play(&shots).map_err(|error| failure(&error))?;
        let of = |[first, second]: &[Fired; 2]| {
            let rules = [&first.rules, &second.rules];
            let whole = !first.open && !second.open;
            whole.then(|| Difference::between(rules, [first.status, second.status]))
        };
        Ok(fired.iter().map(of).collect())
    }

    /// Makes a request smaller for as long as it differs in the same way, and takes it down.
    fn look_into(&mut self, request: Request, wanted: &Wanted) -> Result<(), Failure> {
        let batch = usize::from(self.arguments.jobs);
        if self.one(&request, wanted)?.is_none() {
            self.outcome.unsteady += 1;
            return Ok(());
        }
        let mut holds = |tried: &[Request]| -> Result<Vec<bool>, Failure> {
            let found = self.differences(tried)?;
            let meets =
                |found: &Option<Difference>| found.as_ref().is_some_and(|it| wanted.is_met_by(it));
            Ok(found.iter().map(meets).collect())
        };
        let shrunk = shrink(request, batch, MOST_TRIED, &mut holds)?;
        self.outcome.tried += shrunk.tried as u64;
        let smallest = shrunk.smallest;
        let Some(difference) = self.one(&smallest, wanted)? else {
            self.outcome.unsteady += 1;
            return Ok(());
        };
        if self.ledger.found(smallest.clone(), &difference) {
            self.keep(&smallest, &difference)?;
        }
        Ok(())
    }

    /// The difference of one request, sent once more, if it is what is wanted.
    fn one(&self, request: &Request, wanted: &Wanted) -> Result<Option<Difference>, Failure> {
        let found = self.differences(std::slice::from_ref(request))?.pop().flatten();
        Ok(found.filter(|difference| wanted.is_met_by(difference)))
    }

    /// Writes the smallest request as a file, where a folder was named.
    fn keep(&mut self, request: &Request, difference: &Difference) -> Result<(), Failure> {
        let Some(folder) = &self.arguments.out else { return Ok(()) };
        let sides = self.ledger.sides();
        let found = format!(
            "edgeproof differ --target {} --target {} --seed {}",
            sides.first, sides.second, self.arguments.seed
        );
        let number = self.outcome.files.len() + 1;
        let file = folder.join(format!("{number:03}-{difference}.yaml"));
        std::fs::write(&file, kept(request, difference, sides, &found))
            .map_err(|error| Failure::write(&file.display().to_string(), &error))?;
        self.outcome.files.push(file);
        Ok(())
    }

    /// A line on a terminal, over the one before.
    fn progress(&mut self) {
        let mut error = std::io::stderr();
        if !error.is_terminal() || self.shown.elapsed() < EVERY {
            return;
        }
        self.shown = Instant::now();
        let seconds = self.began.elapsed().as_secs();
        let (requests, causes) = (self.outcome.requests, self.ledger.causes().len());
        // A terminal that is gone needs no progress.
        let _ = write!(error, "\r{requests} requests in {seconds} s, {causes} causes \r");
        let _ = error.flush();
    }
}

/// Exactly two, of different names.
fn both(arguments: &Differ) -> Result<[TargetSpec; 2], Failure> {
    let [first, second] = &arguments.target[..] else {
        return Err(Failure::Usage(format!(
            "two targets are compared, and {} given: --target FIRST --target SECOND",
            match arguments.target.len() {
                1 => "one is".to_owned(),
                n => format!("{n} are"),
            }
        )));
    };
    let spec = |word: &String| match word.contains("://") {
        true => Err(Failure::Usage(format!(
            "--target {word}: both must be started with the same rules; give names or folders"
        ))),
        false => targets::in_folder(word, &arguments.targets_dir),
    };
    let (first, second) = (spec(first)?, spec(second)?);
    if first.name == second.name {
        return Err(match targets::same_place(&first, &second) {
            true => Failure::Usage(format!("`{}` is compared with itself", first.name)),
            false => targets::two_of_a_name(&first, &second),
        });
    }
    Ok([first, second])
}

fn formats(asked: &[Output]) -> Result<Vec<Output>, Failure> {
    if let Some(other) = asked.iter().find(|it| !matches!(it.format, Format::Human | Format::Json))
    {
        let message = format!("--format {}: differ writes human and json", other.format);
        return Err(Failure::Usage(message));
    }
    match asked {
        [] => Ok(vec![Output { format: Format::Human, file: None }]),
        asked => Ok(asked.to_vec()),
    }
}

fn corpus(paths: &[PathBuf]) -> Result<Corpus, Failure> {
    for path in paths {
        let (path, _) = suite::place(path);
        if !path.exists() {
            return Err(Failure::Usage(format!("there is nothing at {}", path.display())));
        }
    }
    let suite::Loaded { cases, diagnostics, .. } = suite::load(paths, &[]);
    if diagnostics.has_errors() {
        return Err(Failure::mistakes(&diagnostics));
    }
    let corpus = Corpus::of(&cases);
    if corpus.is_empty() && !paths.is_empty() {
        let message = "--corpus: there is no request and no payload in it".to_owned();
        return Err(Failure::Usage(message));
    }
    Ok(corpus)
}

/// The lists in the targets' folders, and those of the command line.
fn known(arguments: &Differ, specs: [&TargetSpec; 2]) -> Result<Known, Failure> {
    let of_folder = |folder: &Path| Some(folder.join(LISTED)).filter(|file| file.is_file());
    let folders = specs.iter().filter_map(|spec| spec.folder.as_deref());
    let mut files: Vec<_> = folders.filter_map(of_folder).collect();
    files.extend(arguments.known.iter().cloned());
    let (known, diagnostics) = Known::load(&files);
    if diagnostics.has_errors() {
        return Err(Failure::mistakes(&diagnostics));
    }
    if !diagnostics.is_empty() {
        eprint!("{}", diagnostics.render(Colour::of(&std::io::stderr())));
    }
    Ok(known)
}

fn failure(error: &PairError) -> Failure {
    let text = error.to_string();
    match error {
        PairError::Unfit { .. } | PairError::RuleIds(_) => Failure::Usage(text),
        PairError::Unavailable { .. } | PairError::NotStarted { .. } => Failure::NotStarted(text),
        PairError::Interrupted => Failure::Interrupted,
        PairError::Runtime(_) | PairError::Broken { .. } => Failure::Broken(text),
    }
}
