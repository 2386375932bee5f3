//! Which case a request belongs to, and which rule answers it.

use edgeproof_scenario::model::When;

use crate::expect::{Scope, value_holds};
use crate::wire::Fields;

/// The path with its query that a request-target names (RFC 9112 §3.2): without scheme and authority.
pub(crate) fn path_of(target: &str) -> &str {
    let Some((_, rest)) = target.split_once("://") else { return target };
    if target.starts_with('/') {
        return target;
    }
    rest.find(['/', '?']).map_or("/", |start| &rest[start..])
}

/// Splits `/~ID/rest` into `ID` and `/rest`.
pub(crate) fn split_prefix(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/~")?;
    match rest.find(['/', '?']) {
        Some(end) => Some((&rest[..end], &rest[end..])),
        None => Some((rest, "/")),
    }
}

/// Does the rule answer this request?
pub(crate) fn fits(
    when: &When,
    method: &str,
    path: &str,
    fields: &Fields,
    scope: &Scope<'_>,
) -> bool {
    when.method.as_deref().is_none_or(|wanted| wanted == method)
        && when.path.as_deref().is_none_or(|wanted| path_fits(wanted, path))
        && when.headers.iter().all(|(name, value)| {
            let lines: Vec<&[u8]> = fields.lines(name).collect();
            value_holds(value, &lines, scope)
        })
}

fn path_fits(wanted: &str, path: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(beginning) if wanted != "*" || path != "*" => path.starts_with(beginning),
        _ => wanted == path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_in_any_form_has_one_path() {
        assert_eq!(path_of("/a?b=http://c"), "/a?b=http://c");
        assert_eq!(path_of("http://host:80/a?b"), "/a?b");
        assert_eq!(path_of("http://host"), "/");
        assert_eq!(path_of("*"), "*");
        assert_eq!(split_prefix("/~c7/doc?x"), Some(("c7", "/doc?x")));
        assert_eq!(split_prefix("/~c7?x"), Some(("c7", "?x")));
        assert_eq!(split_prefix("/~c7"), Some(("c7", "/")));
        assert_eq!(split_prefix("/doc"), None);
    }

    #[test]
    fn a_star_at_the_end_stands_for_any_rest() {
        assert!(path_fits("/a*", "/a/b?c") && path_fits("*", "/x") && path_fits("*", "*"));
        assert!(path_fits("/a", "/a") && !path_fits("/a", "/a?b") && !path_fits("/a/*", "/a"));
    }
}
