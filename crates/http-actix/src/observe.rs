//! Around every route: gives the request its id, writes problems out, survives panics, and logs one line.
//!
//! This is the one place where an error becomes a body. Whatever reaches it with an error status and without
//! `application/problem+json` (actix-web's own errors, for instance) is given one here, so nothing else leaves, but for what
//! another standard has a form of its own for ([`OwnForm`]).

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use futures_util::FutureExt;
use tenantry_ports::Ids;

use crate::endpoint::Pattern;
use crate::limits;
use crate::problem::{self, Code, Internal, Problem};
use crate::request_id::{self, RequestId, Trace};

/// Marks a response that says by itself what went wrong, in the form of another standard.
pub(crate) struct OwnForm;

/// The middleware; see the module.
pub(crate) async fn observe<B: MessageBody + 'static>(
    ids: &dyn Ids,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let started = Instant::now();
    let id = Trace::begin(&request, ids);
    // The request itself must not be kept: routing insists on being its only owner.
    let uri = request.uri().clone();
    let outcome = AssertUnwindSafe(async move { next.call(request).await }).catch_unwind().await;
    match outcome {
        Ok(Ok(response)) => {
            let mut response = present(response, &id);
            let standings = response.request().extensions().get::<Trace>().and_then(|trace| trace.standings);
            if let Some(standings) = standings {
                limits::tell_caller(response.headers_mut(), standings);
            }
            response.headers_mut().insert(request_id::HEADER, id.to_header());
            log(&response, &id, started);
            Ok(response)
        }
        Ok(Err(error)) => {
            let problem = Problem::plain(Code::of_status(error.as_response_error().status_code()));
            Err(bare(&problem.because(&error), &id, uri.path()))
        }
        Err(_) => {
            let problem = Problem::from(Internal).because("the handler panicked");
            Err(bare(&problem, &id, uri.path()))
        }
    }
}

/// A response without a request: what is left when the inner service is gone.
fn bare(problem: &Problem, id: &RequestId, path: &str) -> Error {
    report(problem, id, path);
    let mut response = problem.response(id.as_str(), path);
    response.headers_mut().insert(request_id::HEADER, id.to_header());
    InternalError::from_response(problem.to_string(), response).into()
}

/// Writes the problem out, if the response is one.
fn present<B>(response: ServiceResponse<B>, id: &RequestId) -> ServiceResponse<EitherBody<B, BoxBody>> {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let written = response.headers().get(header::CONTENT_TYPE) == Some(&problem::CONTENT_TYPE);
    if !failed || written || response.response().extensions().contains::<OwnForm>() {
        return response.map_into_left_body();
    }
    let error = response.response().error();
    let foreign;
    let problem = match error.and_then(|error| error.as_error::<Problem>()) {
        Some(problem) => problem,
        None => {
            let cause = error.map_or_else(String::new, ToString::to_string);
            foreign = Problem::plain(Code::of_status(status)).because(cause);
            &foreign
        }
    };
    let path = response.request().path();
    if status.is_server_error() {
        report(problem, id, path);
    }
    let mut written = problem.response(id.as_str(), path);
    // What was put on the response on its way out stays, as how the caller stands with its rate limit.
    for (name, value) in response.headers() {
        if !written.headers().contains_key(name) {
            written.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response.into_response(written).map_into_right_body()
}

fn report(problem: &Problem, id: &RequestId, path: &str) {
    tracing::error!(
        target: "tenantry::http",
        request_id = id.as_str(),
        path,
        code = problem.code().entry().code,
        cause = problem.cause(),
        "request failed"
    );
}

/// One line per request. The query is left out: it may hold what nobody should read.
fn log<B>(response: &ServiceResponse<B>, id: &RequestId, started: Instant) {
    if !tracing::enabled!(target: "tenantry::http", tracing::Level::INFO) {
        return;
    }
    let request = response.request();
    let extensions = request.extensions();
    let trace = extensions.get::<Trace>();
    let caller = trace.and_then(|trace| trace.caller.as_ref()).map(|caller| caller.actor());
    let tenant = trace.and_then(|trace| trace.tenant).map(tracing::field::display);
    tracing::info!(
        target: "tenantry::http",
        method = request.method().as_str(),
        route = Pattern::of(request).unwrap_or("(none)"),
        status = response.status().as_u16(),
        ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        request_id = id.as_str(),
        tenant,
        caller,
        "request"
    );
}
