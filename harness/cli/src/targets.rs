//! Which targets were asked for: names, folders, URLs, `all`.

use std::path::{Path, PathBuf};

use edgeproof_diagnostics::{Colour, did_you_mean};
use edgeproof_target::TargetSpec;

use crate::args::Run;
use crate::failure::Failure;

/// A target, and whether it has to be there.
pub(crate) struct Asked {
    pub(crate) spec: TargetSpec,
    pub(crate) required: bool,
}

/// The targets in the order asked for, each once.
pub(crate) fn asked(arguments: &Run) -> Result<Vec<Asked>, Failure> {
    let mut words: Vec<(&str, bool)> = Vec::new();
    // `--require X` alone plays X, not X beside the default.
    let default_only = arguments.target == ["reference"] && !arguments.require.is_empty();
    if !default_only {
        words.extend(arguments.target.iter().map(|word| (word.as_str(), false)));
    }
    words.extend(arguments.require.iter().map(|word| (word.as_str(), true)));

    for (is_given, option, instead) in [
        (arguments.waf_log.is_some(), "--waf-log", "a target's folder says where its log is"),
        (!arguments.declare.is_empty(), "--declare", "a target's folder says what it can do"),
        (
            arguments.origin_listen.is_some(),
            "--origin-listen",
            "a target's folder is told where the origin is",
        ),
    ] {
        if is_given && !words.iter().any(|(word, _)| word.contains("://")) {
            let message = format!("{option} is for a target that is a URL; {instead}");
            return Err(Failure::Usage(message));
        }
    }
    let mut asked: Vec<Asked> = Vec::new();
    for (word, required) in words {
        for spec in specs(word, arguments)? {
            match asked.iter_mut().find(|earlier| earlier.spec.name == spec.name) {
                Some(earlier) if same_place(&earlier.spec, &spec) => earlier.required |= required,
                Some(earlier) => return Err(two_of_a_name(&earlier.spec, &spec)),
                None => asked.push(Asked { spec, required }),
            }
        }
    }
    Ok(asked)
}

pub(crate) fn same_place(one: &TargetSpec, other: &TargetSpec) -> bool {
    let place = |spec: &TargetSpec| spec.folder.as_ref().map(|folder| folder.canonicalize().ok());
    place(one) == place(other)
}

/// A verdict names its target by the folder's name: two of one name could not be told apart.
pub(crate) fn two_of_a_name(one: &TargetSpec, other: &TargetSpec) -> Failure {
    let folder = |spec: &TargetSpec| {
        spec.folder.as_ref().map_or_else(|| spec.name.clone(), |it| it.display().to_string())
    };
    Failure::Usage(format!(
        "two targets have the name `{}`: {} and {}; rename a folder, or play them one by one",
        one.name,
        folder(one),
        folder(other)
    ))
}

fn specs(word: &str, arguments: &Run) -> Result<Vec<TargetSpec>, Failure> {
    if word.contains("://") {
        let spec = TargetSpec::from_url(word, &arguments.declare, arguments.allow_remote)
            .map_err(|error| Failure::Usage(format!("--target {word}: {error}")))?;
        let spec = match &arguments.waf_log {
            Some(log) => spec
                .with_waf_log(log)
                .map_err(|error| Failure::Usage(format!("--waf-log: {error}")))?,
            None => spec,
        };
        return Ok(vec![spec]);
    }
    if word == "all" {
        let every = folders(&arguments.targets_dir)?;
        let every = every.iter().map(|folder| load(folder)).collect::<Result<Vec<_>, _>>()?;
        return Ok(every.into_iter().filter(|spec| !spec.negative_control).collect());
    }
    Ok(vec![in_folder(word, &arguments.targets_dir)?])
}

/// The target in a folder, or in the folder of that name below `targets`.
pub(crate) fn in_folder(word: &str, targets: &Path) -> Result<TargetSpec, Failure> {
    let named = targets.join(word);
    let folder =
        if Path::new(word).join("target.yaml").is_file() { PathBuf::from(word) } else { named };
    if !folder.join("target.yaml").is_file() {
        let known = folders(targets).unwrap_or_default();
        let names: Vec<String> =
            known.iter().filter_map(|f| Some(f.file_name()?.to_str()?.to_owned())).collect();
        let near = did_you_mean(word, names.iter().map(String::as_str));
        return Err(Failure::Usage(format!(
            "there is no target `{word}`: neither a folder with a target.yaml nor one of {} in {}{near}",
            if names.is_empty() { "none".to_owned() } else { names.join(", ") },
            targets.display()
        )));
    }
    load(&folder)
}

fn load(folder: &Path) -> Result<TargetSpec, Failure> {
    let spec = TargetSpec::load(folder).map_err(|mistakes| Failure::mistakes(&mistakes))?;
    for warning in &spec.warnings {
        eprint!("{}", warning.render(Colour::of(&std::io::stderr())));
    }
    Ok(spec)
}

/// The folders that hold a target.yaml, the reference first, the others by name.
fn folders(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(dir).map_err(|error| Failure::read(dir, &error))?;
    let mut folders: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|folder| folder.join("target.yaml").is_file())
        .collect();
    folders
        .sort_by_key(|folder| (folder.file_name() != Some("reference".as_ref()), folder.clone()));
    Ok(folders)
}
