//! "Did you mean".

use strsim::damerau_levenshtein;

/// The candidate that `found` is most likely a misspelling of, if any is near enough: a third of
/// its letters may differ. Case, `-` and `_` do not count.
///
/// ```
/// use edgeproof_diagnostics::suggest;
/// assert_eq!(suggest("hedaers", ["status", "headers"]), Some("headers"));
/// assert_eq!(suggest("colour", ["status", "headers"]), None);
/// ```
pub fn suggest<'c>(found: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let found = fold(found);
    candidates
        .into_iter()
        .map(|candidate| (damerau_levenshtein(&found, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| {
            let letters = found.chars().count().max(candidate.chars().count());
            *distance <= (letters / 3).max(1) && *distance < letters
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The end of a message about `found`: `; did you mean `headers`?`, or nothing where none is near.
///
/// ```
/// use edgeproof_diagnostics::did_you_mean;
/// assert_eq!(did_you_mean("hedaers", ["status", "headers"]), "; did you mean `headers`?");
/// assert_eq!(did_you_mean("colour", ["status", "headers"]), "");
/// ```
pub fn did_you_mean<'c>(found: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    suggest(found, candidates).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// Lower case without the separators people mix up.
fn fold(text: &str) -> String {
    text.chars()
        .filter(|character| !matches!(character, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        // No key is longer; the comparison is quadratic.
        .take(100)
        .collect()
}
