use std::str::FromStr;

use actix_web::web;
use tenantry_domain::{Finding, Pointer};

use crate::problem::{Code, Problem};

/// How many items a list has if nobody says.
const DEFAULT_LIMIT: usize = 50;
/// How many items a list has at most.
pub(crate) const MAX_LIMIT: usize = 200;

/// The query parameters of a request. Whatever is asked for is taken out; what is left at the end nobody knows. All
/// faults are told at once.
pub(crate) struct Query {
    parameters: Vec<(String, String)>,
    findings: Vec<Finding>,
}

impl Query {
    /// The parameters in this text.
    pub(crate) fn new(text: &str) -> Self {
        let parsed = web::Query::<Vec<(String, String)>>::from_query(text);
        match parsed {
            Ok(parameters) => Self { parameters: parameters.into_inner(), findings: Vec::new() },
            Err(_) => {
                let finding =
                    Finding::new(Pointer::root(), "malformed_query", "The query could not be decoded");
                Self { parameters: Vec::new(), findings: vec![finding] }
            }
        }
    }

    /// Takes the parameter of this name out.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let mut values = self.parameters.extract_if(.., |(key, _)| key == name).map(|(_, value)| value);
        let first = values.next();
        if values.count() > 0 {
            self.fault(name, "duplicate_parameter", format!("The parameter '{name}' may be given only once"));
        }
        first
    }

    /// The parameter of this name as a value of a type whose errors are sentences.
    pub(crate) fn value<T: FromStr<Err: ToString>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(name, "invalid_value", error.to_string());
                None
            }
        }
    }

    /// How many items are wanted.
    pub(crate) fn limit(&mut self) -> usize {
        let Some(text) = self.text("limit") else {
            return DEFAULT_LIMIT;
        };
        match text.parse() {
            Ok(limit @ 1..=MAX_LIMIT) => limit,
            _ => {
                let message = format!("The limit must be a whole number from 1 to {MAX_LIMIT}");
                self.fault("limit", "out_of_range", message);
                DEFAULT_LIMIT
            }
        }
    }

    /// Says that a parameter is wrong.
    pub(crate) fn fault(&mut self, name: &str, code: &'static str, message: String) {
        self.findings.push(Finding::new(Pointer::root().member(name), code, message));
    }

    /// Whether anything that was taken out so far was wrong.
    pub(crate) fn has_faults(&self) -> bool {
        !self.findings.is_empty()
    }

    /// Ends the reading: a problem if anything was wrong or is left.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.parameters) {
            self.fault(&name, "unknown_parameter", format!("There is no query parameter '{name}' here"));
        }
        match self.findings.as_slice() {
            [] => Ok(()),
            [only] => {
                let detail = only.message.clone();
                Err(Problem::new(Code::InvalidParameter, detail).with_errors(self.findings))
            }
            more => {
                let detail = format!("{} query parameters are wrong; `errors` lists them all", more.len());
                Err(Problem::new(Code::InvalidParameter, detail).with_errors(self.findings))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_typed() {
        let mut query = Query::new("limit=200&userId=a%20b%2Bc&n=7");
        assert_eq!(query.limit(), 200);
        assert_eq!(query.text("userId").as_deref(), Some("a b+c"));
        assert_eq!(query.value::<u32>("n"), Some(7));
        assert_eq!(query.value::<u32>("absent"), None);
        assert!(query.finish().is_ok());
    }

    #[test]
    fn without_a_limit_it_is_the_default() {
        let mut query = Query::new("");
        assert_eq!(query.limit(), 50);
        assert!(query.finish().is_ok());
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let mut query = Query::new("limit=201&n=x&a=1&a=2&typo=1");
        query.limit();
        query.value::<u32>("n");
        query.text("a");
        let problem = query.finish().unwrap_err();
        assert_eq!(problem.code(), Code::InvalidParameter);
        let codes: Vec<_> = problem.errors().iter().map(|finding| finding.code.as_ref()).collect();
        assert_eq!(codes, ["out_of_range", "invalid_value", "duplicate_parameter", "unknown_parameter"]);
        for limit in ["0", "-1", "201", "ten", ""] {
            let mut query = Query::new(&format!("limit={limit}"));
            query.limit();
            assert!(query.finish().is_err(), "{limit}");
        }
    }
}
