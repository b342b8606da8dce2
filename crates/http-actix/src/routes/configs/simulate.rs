use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use tenantry_domain::account::engine::{AccountEvent, Emission, Outcome, Refusal, Replayed};
use tenantry_domain::account::{AccountState, RuleStatus};
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_domain::event::EventType;
use tenantry_domain::{Amount, Finding, Pointer};
use tenantry_ports::{SchemaCheck, SchemaSource, Scope};
use tenantry_usecases::access::Need;
use tenantry_usecases::configs::{self, Simulated};

use super::read::config_id;
use crate::body::{self, Body};
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::problem::Problem;
use crate::routes::respond;

/// The largest body, in bytes: room for the most events.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// What is to happen to an account.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "SimulateConfig")]
pub(crate) struct SimulateBody {
    /// What happens, in order: at most 10,000 events, each with its `type` (`TradeExecuted`, `PriceMarked`, `DayRolled`,
    /// `Disabled`, `Enabled`, `Reset`, `Closed`, `ConfigMigrated`) and that type's members.
    #[schemars(with = "Vec<Map<String, Value>>", length(max = 10_000))]
    events: Vec<Box<RawValue>>,
    /// Under which version of the config; the current one if absent.
    #[serde(default)]
    version: Option<ConfigVersion>,
}

impl Body for SimulateBody {}

/// What would become of an account.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Simulation")]
pub(crate) struct SimulationView {
    config_id: ConfigId,
    /// The version that the account is made from.
    version: ConfigVersion,
    account: SimulatedAccount,
    /// What came of each event, in order.
    results: Vec<ResultView>,
}

/// The account after the last event.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SimulatedAccount {
    /// ISO 4217.
    currency: &'static str,
    /// What every fraction of the config is of.
    base_capital: Amount,
    #[serde(flatten)]
    state: AccountState,
    /// How it stands with each rule.
    rule_statuses: Vec<RuleStatus>,
}

/// What came of an event.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SimulatedEvent")]
pub(crate) struct ResultView {
    /// `applied`; `refused`, and it changed nothing; or `duplicate`: a trade whose `tradeId` was applied before.
    outcome: OutcomeName,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<RefusalView>,
    /// What webhooks and the event log would tell, in order.
    emitted: Vec<EmittedView>,
}

/// What came of an event, in a word.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub(crate) enum OutcomeName {
    Applied,
    Refused,
    Duplicate,
}

/// Why an event was refused.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventRefusal")]
pub(crate) struct RefusalView {
    /// Stable, snake_case, for programs.
    code: &'static str,
    /// One sentence, for people.
    message: String,
}

impl From<Refusal> for RefusalView {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code(), message: refusal.to_string() }
    }
}

/// Something that the outside would be told.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EmittedEvent")]
pub(crate) struct EmittedView {
    #[schemars(with = "String")]
    event_type: EventType,
    /// As in the event of this type.
    #[schemars(with = "Map<String, Value>")]
    data: Box<RawValue>,
}

impl EmittedView {
    fn of(emission: &Emission) -> serde_json::Result<Self> {
        // Not by way of a `Value`, which would make binary floats of the amounts.
        let data = match emission {
            Emission::RuleViolated(violation) => to_raw_value(violation),
            Emission::PositionsClosed(closed) => to_raw_value(closed),
            Emission::StateChanged(change) => to_raw_value(change),
            Emission::StagePassed(passed) => to_raw_value(passed),
            Emission::ChallengeFailed(failed) => to_raw_value(failed),
            Emission::PayoutEligible(payout) => to_raw_value(payout),
            Emission::AccountClosed(closed) => to_raw_value(closed),
        };
        Ok(Self { event_type: emission.event_type(), data: data? })
    }
}

impl ResultView {
    fn of(replayed: &Replayed) -> serde_json::Result<Self> {
        let Replayed::Done(Outcome { refusal, emitted, .. }) = replayed else {
            return Ok(Self { outcome: OutcomeName::Duplicate, refusal: None, emitted: Vec::new() });
        };
        let outcome = if refusal.is_some() { OutcomeName::Refused } else { OutcomeName::Applied };
        let emitted = emitted.iter().map(EmittedView::of).collect::<Result<_, _>>()?;
        Ok(Self { outcome, refusal: refusal.map(RefusalView::from), emitted })
    }
}

impl SimulationView {
    fn of(config_id: ConfigId, simulated: Simulated) -> serde_json::Result<Self> {
        let Simulated { version, config, state, rules, results } = simulated;
        let account = SimulatedAccount {
            currency: config.currency.as_str(),
            base_capital: config.base_capital.amount(),
            state,
            rule_statuses: rules,
        };
        let results = results.iter().map(ResultView::of).collect::<Result<_, _>>()?;
        Ok(Self { config_id, version, account, results })
    }
}

/// Simulate an account
///
/// Replays events on a fresh account of the config, by the very engine that accounts are kept with, and stores nothing. The
/// account is as old as the first event; a later one that is refused changes nothing and is told. At most 10,000 events and
/// 4 MiB.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/configs/{configId}/simulate",
    operation_id = "simulateConfig",
    tag = "configs",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("configId" = String, Path, description = "The config's id", max_length = 64),
    ),
    request_body(content = SimulateBody, example = json!({
        "events": [
            {
                "type": "TradeExecuted",
                "tradeId": "t-1",
                "symbol": "EURUSD",
                "side": "buy",
                "quantity": 1,
                "price": 1.1,
                "contractSize": 100000,
                "executedAt": "2025-01-10T15:30:00Z"
            },
            { "type": "PriceMarked", "symbol": "EURUSD", "price": 1.106, "at": "2025-01-10T15:31:00Z" }
        ]
    })),
    responses((status = 200, description = "What would become of the account", body = SimulationView))
)]
pub(crate) async fn simulate(mut call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::ConfigsRead)).await?;
    let bytes = call.bytes_up_to(BODY_LIMIT).await?;
    let SimulateBody { events, version } = call.parsed::<SimulateBody>(bytes)?.value;
    let id = config_id(&call)?;
    let answer = call.on_storage::<_, Problem>(move |platform| {
        let events = parsed(platform.schemas.as_ref(), &events)?;
        let simulated = configs::simulate(platform, &scope, &id, version, &events)?;
        let view = SimulationView::of(id, simulated).and_then(|view| serde_json::to_vec(&view));
        view.map_err(|error| Problem::from(crate::problem::Internal).because(error))
    });
    Ok(respond::json_bytes(HttpResponse::Ok(), answer.await?))
}

/// The events, or everything that is wrong with each.
fn parsed(schemas: &dyn SchemaCheck, events: &[Box<RawValue>]) -> Result<Vec<AccountEvent>, Problem> {
    let mut findings = Vec::new();
    let mut parsed = Vec::with_capacity(events.len());
    for (i, event) in events.iter().enumerate() {
        match serde_json::from_str(event.get()) {
            Ok(event) => parsed.push(event),
            Err(error) => {
                let at = Pointer::root().member("events").index(i);
                findings.extend(
                    faults(schemas, event, &error)
                        .into_iter()
                        .map(|finding| Finding { pointer: at.join(&finding.pointer), ..finding }),
                );
            }
        }
    }
    if findings.is_empty() { Ok(parsed) } else { Err(Problem::invalid(findings)) }
}

fn faults(schemas: &dyn SchemaCheck, event: &RawValue, error: &serde_json::Error) -> Vec<Finding> {
    let source = SchemaSource { name: "account-event", generate: body::schema::<AccountEvent> };
    let document = serde_json::from_str(event.get()).unwrap_or_default();
    let findings = schemas.findings(&source, &document);
    if !findings.is_empty() {
        return findings;
    }
    // The schema cannot say everything that the types demand.
    let told = error.to_string();
    let told = told.rsplit_once(" at line ").map_or(told.as_str(), |(message, _)| message);
    let message = format!("This is no event that could happen to an account: {told}");
    vec![Finding::new(Pointer::root(), "invalid_event", message)]
}

documented!(SimulateBody, SimulationView);
