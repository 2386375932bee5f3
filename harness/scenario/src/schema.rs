//! The JSON Schema of a scenario file, printed from the table of keys.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::table::{CASE, FRAGMENT, Form, MANY, Takes};

/// The JSON Schema (2020-12) of a scenario file, so that editors complete and check it.
///
/// It knows the same keys as the binder, both being made from one table. The binder checks more:
/// what one key means for another, variables, regexes, ids.
pub fn schema() -> Value {
    let mut forms = BTreeMap::new();
    for form in [&CASE, &MANY, &FRAGMENT] {
        gather(form, &mut forms);
    }
    let mut definitions: Map<String, Value> =
        forms.values().map(|form| (form.name.to_owned(), object(form))).collect();
    definitions.insert("placeholder".to_owned(), placeholder());
    let top = |form: &Form| json!({ "$ref": format!("#/$defs/{}", form.name) });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Edgeproof scenario",
        "description": "A case, several cases, or a fragment for other files to include.",
        "type": "object",
        "if": { "required": ["fragment"] },
        "then": top(&FRAGMENT),
        "else": {
            "if": { "required": ["cases"] },
            "then": top(&MANY),
            "else": top(&CASE),
        },
        "$defs": definitions,
    })
}

/// A column of `each` where a number or a word stands otherwise.
fn placeholder() -> Value {
    json!({
        "description": "A column of `each`.",
        "type": "string",
        "pattern": r"\{\{[A-Za-z_].*\}\}",
    })
}

/// The form and all that can stand in it, by name.
fn gather(form: &'static Form, forms: &mut BTreeMap<&'static str, &'static Form>) {
    if forms.insert(form.name, form).is_some() {
        return;
    }
    for takes in form.keys.iter().map(|key| &key.takes).chain(&form.others) {
        gather_from(takes, forms);
    }
}

fn gather_from(takes: &'static Takes, forms: &mut BTreeMap<&'static str, &'static Form>) {
    match takes {
        Takes::Form(form) => gather(form(), forms),
        Takes::Table(inner) | Takes::List(inner) | Takes::Some(inner) | Takes::Pair(inner) => {
            gather_from(inner, forms);
        }
        Takes::Either(several) => several.iter().for_each(|takes| gather_from(takes, forms)),
        _ => {}
    }
}

fn object(form: &Form) -> Value {
    let property =
        |key: &crate::table::Key| (key.name.to_owned(), described(&key.takes, key.about));
    let properties: Map<String, Value> = form.keys.iter().map(property).collect();
    let required: Vec<&str> =
        form.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    json!({
        "description": form.about,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": form.others.as_ref().map_or(Value::Bool(false), shape),
    })
}

fn described(takes: &Takes, about: &str) -> Value {
    let mut shape = shape(takes);
    if let Value::Object(members) = &mut shape {
        members.insert("description".to_owned(), about.into());
    }
    shape
}

fn shape(takes: &Takes) -> Value {
    match takes {
        Takes::Text => json!({ "type": ["string", "number", "boolean"] }),
        Takes::Id => json!({ "type": ["string", "number", "boolean"], "pattern": r"^[^\s/#]+$" }),
        Takes::Filled => {
            json!({ "type": ["string", "number", "boolean"], "minLength": 1 })
        }
        Takes::Null => json!({ "type": "null" }),
        Takes::Flag => or_column(&json!({ "type": "boolean" })),
        Takes::True => json!({ "const": true }),
        Takes::Whole(least, u64::MAX) => or_column(&json!({ "type": "integer", "minimum": least })),
        Takes::Whole(least, most) => {
            or_column(&json!({ "type": "integer", "minimum": least, "maximum": most }))
        }
        Takes::Number => or_column(&json!({ "type": "number" })),
        Takes::Duration => quantity(r"^([0-9]+(\.[0-9]+)?(d|h|m|s|ms|us|ns))+$|^0$", 0),
        // The same with a digit that is not 0; no number stands without a unit.
        Takes::Lasting => json!({ "anyOf": [
            { "type": "string", "pattern": r"^(?=.*[1-9])([0-9]+(\.[0-9]+)?(d|h|m|s|ms|us|ns))+$" },
            { "$ref": "#/$defs/placeholder" },
        ] }),
        Takes::Offset => quantity(r"^[-+]?([0-9]+(\.[0-9]+)?(d|h|m|s|ms|us|ns))+$|^[-+]?0$", 0),
        Takes::Size => quantity(r"^[0-9]+(\.[0-9]+)?(B|[kK]B|KiB|[MGT]i?B)?$", u64::MAX),
        Takes::Word(words) => or_column(&json!({ "enum": spellings(words) })),
        Takes::Class => json!({ "type": "string", "pattern": "^[1-5]xx$" }),
        Takes::Form(form) => json!({ "$ref": format!("#/$defs/{}", form().name) }),
        Takes::Table(value) => json!({ "type": "object", "additionalProperties": shape(value) }),
        Takes::List(item) => json!({ "type": "array", "items": shape(item) }),
        Takes::Some(item) => {
            json!({ "type": "array", "items": shape(item), "minItems": 1 })
        }
        Takes::Pair(item) => {
            json!({ "type": "array", "items": shape(item), "minItems": 2, "maxItems": 2 })
        }
        Takes::Either(several) => {
            json!({ "anyOf": several.iter().map(shape).collect::<Vec<_>>() })
        }
        Takes::Anything => json!({}),
    }
}

fn or_column(shape: &Value) -> Value {
    json!({ "anyOf": [shape, { "$ref": "#/$defs/placeholder" }] })
}

/// A text with its unit, or a number without one up to `most`.
fn quantity(pattern: &str, most: u64) -> Value {
    json!({ "anyOf": [
        { "type": "string", "pattern": pattern },
        { "type": "integer", "minimum": 0, "maximum": most },
        { "$ref": "#/$defs/placeholder" },
    ] })
}

/// A word of digits alone is a number to an editor.
fn spellings(words: &[&str]) -> Vec<Value> {
    let numbers = words.iter().filter_map(|word| word.parse::<u64>().ok()).map(Value::from);
    words.iter().copied().map(Value::from).chain(numbers).collect()
}
