//! Where a value may have one of several forms (`anyOf`, `oneOf`), valico says why it has none of them. People want to
//! hear about the form they meant: the one of the value's type, or the one that the document names.

use serde_json::Value;
use tenantry_domain::Finding;
use valico::json_schema::ValidationState;

use super::faults::{explain as explain_errors, not_allowed, required, wrong_type};
use super::locate::Place;
use super::words::{alternatives, is_a, type_of};

/// How deep forms within forms are looked through.
const DEEPEST: usize = 8;

/// One form, and what keeps the value from having it.
struct Form<'a, 's> {
    place: Place<'a>,
    state: &'s ValidationState,
}

impl Form<'_, '_> {
    fn findings(&self) -> Vec<Finding> {
        explain_errors(&self.place, &self.state.errors)
    }
}

/// What is wrong with a value that has none of the forms that `keyword` offers at `place`.
pub(super) fn explain(place: &Place<'_>, keyword: &str, states: &[ValidationState]) -> Vec<Finding> {
    let offers = place.keyword(keyword).filter_map(Value::as_array);
    let Some(offered) = offers.into_iter().find(|forms| forms.len() == states.len()) else {
        // With oneOf, forms that the value has are not among the states.
        let message = format!("{} has more than one of the forms that exclude each other", place.name());
        return vec![Finding::new(place.pointer.clone(), "invalid", message)];
    };
    let forms = offered.iter().zip(states).map(|(form, state)| Form { place: place.under(form), state });
    let mut forms: Vec<_> = forms.collect();

    let given = type_of(place.value);
    let wanted: Vec<_> = forms.iter().map(|form| types(&form.place, DEEPEST)).collect();
    let fits =
        |types: &Option<Vec<&str>>| types.as_ref().is_none_or(|all| all.iter().any(|one| is_a(given, one)));
    if !wanted.iter().any(fits) {
        let mut all: Vec<_> = wanted.into_iter().flatten().flatten().collect();
        all.sort_unstable_by_key(|name| (*name == "null", *name));
        all.dedup();
        return vec![wrong_type(place, &all)];
    }
    let mut wanted = wanted.iter();
    forms.retain(|_| wanted.next().is_some_and(fits));

    if let Some(all) = all_values(forms.iter().map(|form| &form.place))
        && forms.len() > 1
    {
        return vec![not_allowed(place, &all)];
    }
    match by_tag(place, forms).or_else(|forms| by_only_member(place, forms)) {
        Ok(Meant::Finding(finding)) => vec![finding],
        Ok(Meant::Form(form)) => form.findings(),
        Err(forms) => forms.iter().map(Form::findings).min_by_key(Vec::len).unwrap_or_default(),
    }
}

/// What the document says about the form it means.
enum Meant<'a, 's> {
    Form(Form<'a, 's>),
    Finding(Finding),
}

/// Forms told apart by one member's value, as in `{ "kind": "a", … }`; all forms back if these are not.
fn by_tag<'a, 's>(
    place: &Place<'a>,
    mut forms: Vec<Form<'a, 's>>,
) -> Result<Meant<'a, 's>, Vec<Form<'a, 's>>> {
    if forms.len() < 2 || !place.value.is_object() {
        return Err(forms);
    }
    let names = members(&forms[0].place);
    let tag = names.into_iter().find_map(|name| {
        let each: Option<Vec<_>> =
            forms.iter().map(|form| values(&form.place.member(name), DEEPEST)).collect();
        let mut all: Vec<&Value> = Vec::new();
        let distinct = each?.into_iter().flatten().all(|value| {
            let new = !all.contains(&value);
            all.push(value);
            new
        });
        distinct.then_some((name, all))
    });
    let Some((name, all)) = tag else { return Err(forms) };
    let Some(given) = place.value.get(name) else {
        return Ok(Meant::Finding(required(&forms[0].place, name)));
    };
    let meant = forms.iter().position(|form| {
        values(&form.place.member(name), DEEPEST).is_some_and(|values| values.contains(&given))
    });
    Ok(match meant {
        Some(meant) => Meant::Form(forms.swap_remove(meant)),
        None => Meant::Finding(not_allowed(&forms[0].place.member(name), &all)),
    })
}

/// Forms told apart by the name of the one member they must have, as in `{ "a": … }`; all forms back if these are not.
fn by_only_member<'a, 's>(
    place: &Place<'a>,
    mut forms: Vec<Form<'a, 's>>,
) -> Result<Meant<'a, 's>, Vec<Form<'a, 's>>> {
    let names: Option<Vec<&str>> = forms.iter().map(|form| only_member(&form.place)).collect();
    let Some(names) = names.filter(|_| forms.len() > 1 && place.value.is_object()) else {
        return Err(forms);
    };
    let mut there = (0..names.len()).filter(|i| place.value.get(names[*i]).is_some());
    match (there.next(), there.next()) {
        (Some(meant), None) => Ok(Meant::Form(forms.swap_remove(meant))),
        (Some(_), Some(_)) => Err(forms),
        (None, _) => {
            let names: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
            let message = format!("{} must have one of the members {}", place.name(), alternatives(&names));
            Ok(Meant::Finding(Finding::new(place.pointer.clone(), "invalid", message)))
        }
    }
}

fn members<'a>(place: &Place<'a>) -> Vec<&'a str> {
    place
        .keyword("properties")
        .filter_map(Value::as_object)
        .flat_map(|all| all.keys().map(String::as_str))
        .collect()
}

fn only_member<'a>(place: &Place<'a>) -> Option<&'a str> {
    let mut required = place.keyword("required").filter_map(Value::as_array).flatten();
    let only = required.next()?.as_str()?;
    (required.next().is_none() && members(place) == [only]).then_some(only)
}

/// The types that a value at this place may have, as far as its schemas say so.
fn types<'a>(place: &Place<'a>, depth: usize) -> Option<Vec<&'a str>> {
    let depth = depth.checked_sub(1)?;
    let stated = place.keyword("type").find_map(|types| match types {
        Value::Array(set) => Some(set.iter().filter_map(Value::as_str).collect()),
        one => one.as_str().map(|one| vec![one]),
    });
    let implied = || Some(values(place, depth)?.into_iter().map(type_of).collect());
    let nested = || {
        let forms = nested(place)?;
        let each: Option<Vec<Vec<_>>> = forms.iter().map(|form| types(form, depth)).collect();
        Some(each?.concat())
    };
    stated.or_else(implied).or_else(nested)
}

/// The values that a value at this place may have, if they are listed.
fn values<'a>(place: &Place<'a>, depth: usize) -> Option<Vec<&'a Value>> {
    let depth = depth.checked_sub(1)?;
    let constant = place.keyword("const").next().map(|constant| vec![constant]);
    let listed = || Some(place.keyword("enum").find_map(Value::as_array)?.iter().collect());
    let nested = || {
        let forms = nested(place)?;
        let each: Option<Vec<Vec<_>>> = forms.iter().map(|form| values(form, depth)).collect();
        Some(each?.concat())
    };
    constant.or_else(listed).or_else(nested)
}

fn all_values<'p, 'a: 'p>(mut places: impl Iterator<Item = &'p Place<'a>>) -> Option<Vec<&'a Value>> {
    places.try_fold(Vec::new(), |mut all, place| {
        all.extend(values(place, DEEPEST)?);
        Some(all)
    })
}

fn nested<'a>(place: &Place<'a>) -> Option<Vec<Place<'a>>> {
    let mut offers =
        ["anyOf", "oneOf"].into_iter().flat_map(|keyword| place.keyword(keyword).filter_map(Value::as_array));
    Some(offers.next()?.iter().map(|form| place.under(form)).collect())
}
