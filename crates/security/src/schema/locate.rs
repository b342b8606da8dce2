use serde_json::Value;
use tenantry_domain::Pointer;

/// Longest chain of references within a schema, and most parts of one raw path that may be one member's name.
const MOST_HOPS: usize = 32;
/// Places tried for one raw path; only documents whose names contain `/` need more than the path is long.
const MOST_TRIES: usize = 4_096;

/// A place in a document, with all schemas that a value there has to satisfy.
///
/// Where a value may have one of several forms (`anyOf`, `oneOf`), the forms are not among its schemas: valico reports
/// on each form apart, and `choices` makes one of them a place of its own.
#[derive(Clone)]
pub(super) struct Place<'a> {
    root: &'a Value,
    pub(super) value: &'a Value,
    pub(super) schemas: Vec<&'a Value>,
    pub(super) pointer: Pointer,
    /// The place in valico's notation: names joined with `/`, not escaped, and therefore ambiguous.
    raw: String,
    name: String,
}

impl<'a> Place<'a> {
    /// The whole document.
    pub(super) fn document(root: &'a Value, value: &'a Value) -> Self {
        let mut schemas = Vec::new();
        expand(root, root, &mut schemas, MOST_HOPS);
        Self { root, value, schemas, pointer: Pointer::root(), raw: String::new(), name: String::new() }
    }

    /// The same place seen under one of the forms its value may have.
    pub(super) fn under(&self, form: &'a Value) -> Self {
        let mut schemas = Vec::new();
        expand(self.root, form, &mut schemas, MOST_HOPS);
        Self { schemas, ..self.clone() }
    }

    /// What the place is called in a sentence.
    pub(super) fn name(&self) -> String {
        if self.name.is_empty() { "The document".to_owned() } else { format!("'{}'", self.name) }
    }

    /// The same within a sentence.
    pub(super) fn name_within(&self) -> String {
        if self.name.is_empty() { "the document".to_owned() } else { self.name() }
    }

    /// All values of a keyword among the schemas here.
    pub(super) fn keyword<'s>(&'s self, keyword: &'s str) -> impl Iterator<Item = &'a Value> + 's {
        self.schemas.iter().filter_map(move |schema| schema.get(keyword))
    }

    /// The place of a member, there or missing (then its value is null).
    pub(super) fn member(&self, name: &str) -> Self {
        let mut schemas = Vec::new();
        for schema in &self.schemas {
            let named = schema.get("properties").and_then(|properties| properties.get(name));
            let patterns = schema.get("patternProperties").and_then(Value::as_object);
            let found: Vec<_> = match named {
                Some(schema) => vec![schema],
                // Which pattern the name matches makes no difference in our schemas: maps have one.
                None => patterns
                    .into_iter()
                    .flat_map(serde_json::Map::values)
                    .chain(schema.get("additionalProperties"))
                    .collect(),
            };
            found.into_iter().for_each(|schema| expand(self.root, schema, &mut schemas, MOST_HOPS));
        }
        Self {
            root: self.root,
            value: self.value.get(name).unwrap_or(&Value::Null),
            schemas,
            pointer: self.pointer.member(name),
            raw: format!("{}/{name}", self.raw),
            name: name.to_owned(),
        }
    }

    fn item(&self, index: usize) -> Option<Self> {
        let value = self.value.get(index)?;
        let mut schemas = Vec::new();
        for schema in &self.schemas {
            let found = match schema.get("items") {
                Some(Value::Array(each)) => each.get(index).or_else(|| schema.get("additionalItems")),
                all => all,
            };
            found.into_iter().for_each(|schema| expand(self.root, schema, &mut schemas, MOST_HOPS));
        }
        Some(Self {
            root: self.root,
            value,
            schemas,
            pointer: self.pointer.index(index),
            raw: format!("{}/{index}", self.raw),
            name: format!("{}[{index}]", self.name),
        })
    }

    /// The place that valico calls `raw`.
    pub(super) fn find(&self, raw: &str) -> Option<Self> {
        self.seek(raw, |_, rest| rest.is_empty()).map(|(place, _)| place)
    }

    /// The place that valico calls `raw`; this place itself if there is none such below it.
    pub(super) fn at(&self, raw: &str) -> Self {
        self.find(raw).unwrap_or_else(|| self.clone())
    }

    /// The object that lacks a required member, and the member's name.
    pub(super) fn at_missing(&self, raw: &str) -> Option<(Self, String)> {
        self.seek(raw, |place, rest| {
            let name = rest.strip_prefix('/');
            name.is_some_and(|name| place.value.get(name).is_none() && place.requires(name))
        })
        .map(|(place, rest)| (place, rest[1..].to_owned()))
    }

    /// The object one of whose members has a name that is not allowed, and that name.
    pub(super) fn at_name(&self, raw: &str) -> Option<(Self, String)> {
        let name_in = |rest: &str| Some(rest.strip_prefix("/[")?.strip_suffix(']')?.to_owned());
        let (place, rest) = self.seek(raw, |place, rest| {
            name_in(rest).is_some_and(|name| {
                place.value.get(&name).is_some() && place.keyword("propertyNames").next().is_some()
            })
        })?;
        Some((place, name_in(rest)?))
    }

    fn requires(&self, name: &str) -> bool {
        self.keyword("required").filter_map(Value::as_array).flatten().any(|required| required == name)
    }

    /// The first place at or below this one that is `wanted`, given what is left of the path there.
    fn seek<'r>(&self, raw: &'r str, wanted: impl Fn(&Self, &str) -> bool) -> Option<(Self, &'r str)> {
        let mut open = vec![(self.clone(), raw.strip_prefix(&self.raw)?)];
        for _ in 0..MOST_TRIES {
            let (place, rest) = open.pop()?;
            if wanted(&place, rest) {
                return Some((place, rest));
            }
            // Shortest names are tried first, so they go onto the stack last.
            open.extend(place.steps(rest).into_iter().rev());
        }
        None
    }

    /// The members or the item that the path may go on with, and what is left of it then.
    fn steps<'r>(&self, rest: &'r str) -> Vec<(Self, &'r str)> {
        let Some(path) = rest.strip_prefix('/') else {
            return Vec::new();
        };
        let ends = path.match_indices('/').map(|(end, _)| end).take(MOST_HOPS).chain([path.len()]);
        match self.value {
            Value::Object(members) => ends
                .filter(|end| members.contains_key(&path[..*end]))
                .map(|end| (self.member(&path[..end]), &path[end..]))
                .filter(|(place, _)| !place.schemas.is_empty())
                .collect(),
            Value::Array(_) => {
                let end = path.find('/').unwrap_or(path.len());
                let item = path[..end].parse().ok().and_then(|index| self.item(index));
                item.map(|item| (item, &path[end..])).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Collects `schema` and all that it includes unconditionally, following references within `root`.
fn expand<'a>(root: &'a Value, schema: &'a Value, into: &mut Vec<&'a Value>, hops: usize) {
    let Some(hops) = hops.checked_sub(1) else { return };
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        // In draft 7 a reference stands alone: what is beside it does not count.
        if let Some(target) = resolve(root, reference) {
            expand(root, target, into, hops);
        }
        return;
    }
    if schema.is_object() {
        into.push(schema);
    }
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    let conditional = ["then", "else"].into_iter().filter_map(|keyword| schema.get(keyword));
    parts.chain(conditional).for_each(|part| expand(root, part, into, hops));
}

fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(&percent_decoded(reference.strip_prefix('#')?)?)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let (digits, tail) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_with_slashes_lead_to_the_place_that_the_schema_knows() {
        let schema = json!({
            "properties": {
                "a": { "properties": { "b/c": { "title": "there" } } },
                "a/b": { "properties": { "d": {} } }
            }
        });
        let document = json!({ "a": { "b/c": 1, "b": { "c": 2 } }, "a/b": { "c": 3, "d": 4 } });
        let place = Place::document(&schema, &document).at("/a/b/c");
        assert_eq!(place.pointer.as_str(), "/a/b~1c");
        assert_eq!(place.keyword("title").next(), Some(&json!("there")));
        assert_eq!(Place::document(&schema, &document).at("/a/b/d").pointer.as_str(), "/a~1b/d");
    }

    #[test]
    fn circular_references_end() {
        let schema = json!({ "$ref": "#/definitions/a", "definitions": {
            "a": { "allOf": [{ "$ref": "#/definitions/b" }] }, "b": { "$ref": "#/definitions/a" } } });
        assert!(Place::document(&schema, &Value::Null).schemas.len() <= MOST_HOPS);
    }

    #[test]
    fn references_are_percent_decoded() {
        let root = json!({ "definitions": { "a b/é": 1 } });
        assert_eq!(resolve(&root, "#/definitions/a%20b~1%C3%A9"), Some(&json!(1)));
        for wrong in
            ["definitions", "#/definitions/%", "#/definitions/%2", "#/definitions/%GG", "#/definitions/%C3"]
        {
            assert_eq!(resolve(&root, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn paths_of_many_slashes_take_no_time() {
        let schema = json!({ "additionalProperties": { "$ref": "#" } });
        let mut document = json!(1);
        for _ in 0..20 {
            document = json!({ "a": document.clone(), "a/a": document, "/".repeat(1_000): 1 });
            if document.to_string().len() > 2_000_000 {
                break;
            }
        }
        let path = "/a".repeat(60) + "/nowhere";
        assert_eq!(Place::document(&schema, &document).at(&path).pointer.as_str(), "");
    }
}
