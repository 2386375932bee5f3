//! Which script answers a path.

use std::path::{Component, Path, PathBuf};

/// What a FastCGI server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Application {
    /// One program for every path: the path is all PATH_INFO.
    Whole,
    /// PHP files below this folder, as the server sees it, and `index.php` in it for every path that is no
    /// file's.
    Files(PathBuf),
}

/// The file of a folder, and what answers where there is no file.
const INDEX: &str = "index.php";
const ENDING: &str = ".php";

/// What runs, and what is left of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// SCRIPT_NAME (RFC 3875 §4.1.13): its path in the URL, decoded; empty for [`Application::Whole`].
    pub name: String,
    /// PATH_INFO (RFC 3875 §4.1.5): what follows that name, decoded.
    pub path_info: String,
    /// SCRIPT_FILENAME, which is not in the RFC and which PHP wants: the file.
    pub file: Option<PathBuf>,
}

/// What answers a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A script.
    Script(Script),
    /// It is a folder that has a script, and lacks the `/` at its end: what the script's pages name relative to it would
    /// be looked for beside it.
    Folder,
}

/// A path that no script may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// It could name a file outside of the folder, or none at all.
    #[error("the path cannot be a file's: it holds a NUL, is no UTF-8 or leads out of its root")]
    Path,
}

impl Script {
    /// The script for the path of a request target, given without its query.
    ///
    /// `exists` says whether a file does. Without it, where the server sees other files than the proxy, the
    /// path alone decides: it names a script if a part of it ends in `.php`.
    ///
    /// # Errors
    /// A path that no file can have.
    pub fn find(
        application: &Application,
        path: &[u8],
        exists: Option<&dyn Fn(&Path) -> bool>,
    ) -> Result<Found, ScriptError> {
        let path = decoded(path).ok_or(ScriptError::Path)?;
        let Application::Files(root) = application else {
            return Ok(Found::Script(Self { name: String::new(), path_info: path, file: None }));
        };
        let file = |name: &str| root.join(name.trim_start_matches('/'));
        let script = |name: &str, rest: &str| {
            let (name, path_info) = (name.to_owned(), rest.to_owned());
            let file = Some(file(&name));
            Found::Script(Self { name, path_info, file })
        };
        let is_there = |name: &str| exists.is_none_or(|exists| exists(&file(name)));
        if let Some(end) = script_end(&path)
            && is_there(&path[..end])
        {
            return Ok(script(&path[..end], &path[end..]));
        }
        let index = format!("{}/{INDEX}", path.trim_end_matches('/'));
        // A folder elsewhere may or may not have one; the root's answers for all.
        if exists.is_some() && is_there(&index) {
            return Ok(if path.ends_with('/') { script(&index, "") } else { Found::Folder });
        }
        Ok(script(&format!("/{INDEX}"), ""))
    }
}

/// Where the first part of a path that is named like a script ends.
fn script_end(path: &str) -> Option<usize> {
    let mut end = 0;
    for part in path.split_inclusive('/') {
        let name = part.trim_end_matches('/');
        if name.ends_with(ENDING) {
            return Some(end + name.len());
        }
        end += part.len();
    }
    None
}

/// A path without `%XX`, and without `.` and `..`, which may not lead above its root.
fn decoded(path: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[3..] } else { tail };
    }
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
    if !text.contains("/.") {
        return Some(text);
    }
    let mut parts = Vec::new();
    for part in Path::new(&text).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    let is_folder = text.ends_with('/') || text.ends_with("/.") || text.ends_with("/..");
    let slash = if is_folder && !parts.is_empty() { "/" } else { "" };
    Some(format!("/{}{slash}", parts.join("/")))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, files: Option<&[&str]>) -> String {
        let root = Application::Files("/srv".into());
        let exists = files.map(|files| {
            move |file: &Path| files.contains(&file.strip_prefix("/srv").unwrap().to_str().unwrap())
        });
        let exists = exists.as_ref().map(|exists| exists as &dyn Fn(&Path) -> bool);
        match Script::find(&root, path.as_bytes(), exists) {
            Ok(Found::Folder) => "a folder".to_owned(),
            Ok(Found::Script(script)) => {
                format!("{} + {}", script.file.unwrap().display(), script.path_info)
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn files_that_are_there_answer_and_the_front_answers_for_the_rest() {
        let files = ["index.php", "wp-login.php", "admin/index.php", "a.php/b.php"];
        for (path, expected) in [
            ("/", "/srv/index.php + "),
            ("/index.php/a/b", "/srv/index.php + /a/b"),
            ("/wp-login.php", "/srv/wp-login.php + "),
            ("/wp%2Dlogin.php", "/srv/wp-login.php + "),
            ("/admin/", "/srv/admin/index.php + "),
            ("/admin", "a folder"),
            ("/./admin", "a folder"),
            ("/2026/11/hello/", "/srv/index.php + "),
            ("/upload/evil.jpg/x.php", "/srv/index.php + "),
            ("/missing.php", "/srv/index.php + "),
            ("/admin/../wp-login.php", "/srv/wp-login.php + "),
            ("/admin/./", "/srv/admin/index.php + "),
            ("/x%2f%2e%2e/wp-login.php", "/srv/wp-login.php + "),
        ] {
            assert_eq!(found(path, Some(&files)), expected, "{path}");
        }
    }

    #[test]
    fn where_files_cannot_be_seen_their_names_decide() {
        assert_eq!(found("/blog/wp-login.php", None), "/srv/blog/wp-login.php + ");
        assert_eq!(found("/blog/", None), "/srv/index.php + ");
        assert_eq!(found("/a.php/b.php", None), "/srv/a.php + /b.php");
    }

    #[test]
    fn nothing_leads_out_of_the_root() {
        for path in ["/../x.php", "/a/../../x.php", "/%2e%2e/x.php", "/x%00.php", "/%ff.php"] {
            assert_eq!(found(path, None), ScriptError::Path.to_string(), "{path}");
        }
    }

    #[test]
    fn one_application_gets_the_whole_path() {
        let found = Script::find(&Application::Whole, b"/a.php/b%20c", None).unwrap();
        let Found::Script(script) = found else { panic!("{found:?}") };
        assert_eq!((script.name.as_str(), script.path_info.as_str()), ("", "/a.php/b c"));
        assert_eq!(script.file, None);
    }
}
