//! What a schema cannot say: the rules of a config that span members or need knowledge of the world.
//!
//! Every check reads the document leniently: a member that is absent or of the wrong shape is skipped, since the
//! schema explains that already. So the logical findings come together with those of the schema.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::{Currency, Milestone, Owner, Timezone};
use crate::text::InvalidText;
use crate::{Amount, Finding, Pointer};

/// What is logically wrong, and what is doubtful.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Logic {
    /// The config must not be used.
    pub(super) errors: Vec<Finding>,
    /// The config may be used; its author may have meant something else.
    pub(super) warnings: Vec<Finding>,
}

/// Every logical finding of a resolved config document; `owner` is the tenant it is uploaded to, where there is one.
pub(super) fn check_logic(resolved: &Value, owner: Option<&Owner<'_>>) -> Logic {
    let mut logic = Logic::default();
    let root = Pointer::root();
    logic.check_names(resolved, &root, owner);
    logic.number(resolved, &root, "baseCapital");

    let stages_at = root.member("challengeDefinitions");
    let stages =
        resolved.get("challengeDefinitions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let variant = resolved.get("variant").and_then(Value::as_str);
    logic.check_stage_ids(stages, &stages_at);
    if variant == Some("straight-to-funded") && stages.len() > 1 {
        logic.error(
            stages_at.clone(),
            "straight_to_funded_with_stages",
            "A straight-to-funded account has one challenge only: there is nothing to pass",
        );
    }
    for (i, stage) in stages.iter().enumerate() {
        logic.check_stage(stage, &stages_at.index(i), variant);
    }
    logic.check_payouts(resolved, stages);
    logic
}

impl Logic {
    fn error(&mut self, pointer: Pointer, code: &'static str, message: impl Into<String>) {
        self.errors.push(Finding::new(pointer, code, message));
    }

    fn warning(&mut self, pointer: Pointer, code: &'static str, message: impl Into<String>) {
        self.warnings.push(Finding::new(pointer, code, message));
    }

    /// The member as an exact number. A number that cannot be one is an error here, as no schema can say it.
    fn number(&mut self, object: &Value, at: &Pointer, name: &str) -> Option<Decimal> {
        let number = object.get(name).filter(|value| value.is_number())?;
        let exact: Option<Amount> = number.to_string().parse().ok();
        if exact.is_none() {
            let message =
                format!("{number} cannot be kept exactly: numbers have at most 28 significant digits");
            self.error(at.member(name), "number_out_of_range", message);
        }
        exact.map(Amount::value)
    }

    fn check_names(&mut self, document: &Value, root: &Pointer, owner: Option<&Owner<'_>>) {
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        let mut report = |name: &str, fault: Option<InvalidText>| {
            self.errors.extend(fault.map(|fault| fault.at(root.member(name))));
        };
        report("currency", text("currency").and_then(|code| code.parse::<Currency>().err()));
        report("timezone", text("timezone").and_then(|name| name.parse::<Timezone>().err()));
        if let (Some(tenant), Some(owner)) = (text("tenantId"), owner)
            && !owner.is(tenant)
        {
            let message =
                format!("The config belongs to tenant '{tenant}', which is not the one it is uploaded to");
            self.error(root.member("tenantId"), "tenant_mismatch", message);
        }
    }

    fn check_stage_ids(&mut self, stages: &[Value], at: &Pointer) {
        let mut seen = BTreeSet::new();
        for (i, stage) in stages.iter().enumerate() {
            if let Some(id) = stage.get("id").and_then(Value::as_str)
                && !seen.insert(id)
            {
                let message = format!("More than one challenge has the id '{id}'");
                self.error(at.index(i).member("id"), "duplicate_challenge_id", message);
            }
        }
    }

    fn check_stage(&mut self, stage: &Value, at: &Pointer, variant: Option<&str>) {
        let days = self.number(stage, at, "durationDays").filter(|days| *days > Decimal::ZERO);
        if variant == Some("straight-to-funded") && days.is_some() {
            self.error(
                at.member("durationDays"),
                "straight_to_funded_with_stages",
                "A straight-to-funded account has no time limit: remove durationDays or set it to 0",
            );
        }
        if let Some(rules @ Value::Object(members)) = stage.get("rules") {
            let at = at.member("rules");
            self.check_fractions(rules, members, &at, variant);
            if let Some(days) = days {
                self.check_days(rules, &at, days);
            }
        }
    }

    fn check_fractions(
        &mut self,
        rules: &Value,
        members: &Map<String, Value>,
        at: &Pointer,
        variant: Option<&str>,
    ) {
        let [target, drawdown, daily] = ["profitTarget", "maxDrawdown", "dailyLossLimit"].map(|name| {
            let fraction = self.number(rules, at, name);
            if fraction.is_some_and(|fraction| fraction > Decimal::ONE) {
                let message =
                    format!("{name} is a share of the base capital between 0 and 1: write 0.05 for 5 %");
                self.error(at.member(name), "fraction_out_of_range", message);
            }
            if fraction == Some(Decimal::ZERO) && name != "profitTarget" {
                let message = format!(
                    "A {name} of 0 would breach the account on its first cent; leave it out for no limit"
                );
                self.error(at.member(name), "zero_tolerance", message);
            }
            fraction
        });
        if let (Some(daily), Some(drawdown)) = (daily, drawdown)
            && daily > drawdown
        {
            let message = format!("dailyLossLimit {daily} must not be greater than maxDrawdown {drawdown}");
            self.error(at.member("dailyLossLimit"), "daily_loss_exceeds_max_drawdown", message);
        }
        let no_target =
            target == Some(Decimal::ZERO) || members.get("profitTarget").is_none_or(Value::is_null);
        if variant == Some("evaluation") && no_target {
            self.error(
                at.member("profitTarget"),
                "evaluation_without_target",
                "A stage of an evaluation needs a profitTarget above 0, else nobody can pass it",
            );
        }
        self.number(rules, at, "leverage");
    }

    fn check_days(&mut self, rules: &Value, at: &Pointer, duration: Decimal) {
        let consistency = rules.get("consistencyRule").map(|rule| (rule, at.member("consistencyRule")));
        let demands = [(Some((rules, at.clone())), "minTradingDays"), (consistency, "minWinningDays")];
        for (place, name) in demands {
            let Some((object, at)) = place else { continue };
            if let Some(demanded) = self.number(object, &at, name).filter(|days| *days > duration) {
                let message = format!("{name} {demanded} cannot be reached within durationDays {duration}");
                self.error(at.member(name), "impossible_trading_days", message);
            }
        }
    }

    fn check_payouts(&mut self, document: &Value, stages: &[Value]) {
        let Some(Value::Array(payouts)) = document.pointer("/payoutRules/stagedPayouts") else {
            return;
        };
        let at = Pointer::root().member("payoutRules").member("stagedPayouts");
        let mut complete = true;
        let mut total = Decimal::ZERO;
        for (i, payout) in payouts.iter().enumerate() {
            let at = at.index(i);
            match self.number(payout, &at, "payoutPercent") {
                Some(percent) => total = total.saturating_add(percent),
                None => complete = false,
            }
            let milestone = payout.get("milestone").and_then(Value::as_str);
            if let Some(milestone) = milestone.filter(|milestone| !is_known(milestone, stages)) {
                let message = format!(
                    "'{milestone}' is neither '<challenge id>-pass' of a challenge of this config nor one of: {}",
                    Milestone::WELL_KNOWN.join(", ")
                );
                self.warning(at.member("milestone"), "unknown_milestone", message);
            }
        }
        if total > Decimal::ONE_HUNDRED {
            let message = format!("The staged payouts add up to {total} %, which is more than 100 %");
            self.error(at, "payouts_exceed_100", message);
        } else if complete && total < Decimal::ONE_HUNDRED {
            let message = format!("The staged payouts add up to {total} %, which is less than 100 %");
            self.warning(at, "payouts_below_100", message);
        }
    }
}

fn is_known(milestone: &str, stages: &[Value]) -> bool {
    let stage = milestone.strip_suffix("-pass");
    Milestone::WELL_KNOWN.contains(&milestone)
        || stage
            .is_some_and(|id| stages.iter().any(|stage| stage.get("id").and_then(Value::as_str) == Some(id)))
}

#[cfg(test)]
mod tests;
