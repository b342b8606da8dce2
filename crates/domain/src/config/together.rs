use std::collections::HashMap;
use std::convert::Infallible;

use serde_json::Value;

use super::{ConfigId, Inspection, inspect, resolve};
use crate::Finding;

/// Looks at config documents that belong together, as [`inspect`] does at one: what they inherit from each other is found
/// among them, in whichever order they are given. Of several with one id the last counts, as the newest version would.
/// `schema_findings` is as for [`inspect`]; no tenant is known, so `tenantId` is not checked.
pub fn inspect_all(
    documents: &[&Value],
    schema_findings: &dyn Fn(&Value) -> Vec<Finding>,
) -> Vec<Inspection> {
    let given = documents.iter().filter_map(|document| Some((id_of(document, "id")?, *document))).collect();
    let mut resolved = HashMap::new();
    for id in HashMap::keys(&given) {
        resolve_line(id, &given, &mut resolved);
    }
    let mut parents = |id: &ConfigId| Ok::<_, Infallible>(resolved.get(id).cloned());
    let inspected = documents.iter().map(|document| {
        let Ok(inspection) = inspect(document, schema_findings, &mut parents, None);
        inspection
    });
    inspected.collect()
}

fn id_of(document: &Value, member: &str) -> Option<ConfigId> {
    document.get(member)?.as_str()?.parse().ok()
}

/// Resolves a document after its parents. In a circle each stays as it is, and the inspection finds the circle.
fn resolve_line(id: &ConfigId, given: &HashMap<ConfigId, &Value>, resolved: &mut HashMap<ConfigId, Value>) {
    let mut line = vec![id.clone()];
    while let Some(parent) = line.last().and_then(|id| id_of(given.get(id)?, "parentConfigId")) {
        if resolved.contains_key(&parent) || line.contains(&parent) || !given.contains_key(&parent) {
            break;
        }
        line.push(parent);
    }
    for id in line.into_iter().rev() {
        if !resolved.contains_key(&id)
            && let Some(document) = given.get(&id)
        {
            let mut parents = |id: &ConfigId| Ok::<_, Infallible>(resolved.get(id).cloned());
            let Ok(lineage) = resolve(document, &mut parents);
            resolved.insert(id, lineage.resolved);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::demo;

    fn codes(documents: &[&Value]) -> Vec<Vec<String>> {
        let inspected = inspect_all(documents, &|_| Vec::new());
        let codes = |inspection: Inspection| {
            inspection.errors.into_iter().map(|finding| finding.code.into_owned()).collect()
        };
        inspected.into_iter().map(codes).collect()
    }

    fn child(id: &str, parent: &str) -> Value {
        json!({ "id": id, "displayName": id, "parentConfigId": parent })
    }

    #[test]
    fn parents_are_found_among_the_documents_in_whichever_order_they_come() {
        let (base, child, grandchild) =
            (demo::config(), child("child", demo::DEMO_CONFIG_ID), child("grandchild", "child"));
        for documents in
            [[&base, &child, &grandchild], [&grandchild, &child, &base], [&child, &base, &grandchild]]
        {
            let inspected = inspect_all(&documents, &|_| Vec::new());
            for inspection in inspected {
                assert_eq!(inspection.errors, []);
                assert_eq!(inspection.accepted.unwrap().resolved["baseCapital"], 25_000);
            }
        }
    }

    #[test]
    fn who_is_missing_and_who_goes_in_circles_is_named_and_the_others_are_not_disturbed() {
        let (orphan, one, two) = (child("orphan", "gone"), child("one", "two"), child("two", "one"));
        let base = demo::config();
        let found = codes(&[&orphan, &one, &base, &two, &json!(7)]);
        assert!(found[0].contains(&"parent_not_found".to_owned()), "{found:?}");
        assert!(
            found[1].contains(&"parent_cycle".to_owned()) && found[3].contains(&"parent_cycle".to_owned())
        );
        assert_eq!((found[2].len(), &found[4][..]), (0, &["not_an_object".to_owned()][..]));
    }

    #[test]
    fn of_two_documents_with_one_id_the_last_is_inherited_from() {
        let mut later = demo::config();
        later["baseCapital"] = json!(50_000);
        let child = child("child", demo::DEMO_CONFIG_ID);
        let inspected = inspect_all(&[&demo::config(), &later, &child], &|_| Vec::new());
        assert_eq!(inspected[2].accepted.as_ref().unwrap().resolved["baseCapital"], 50_000);
    }
}
