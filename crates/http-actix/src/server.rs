use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::{KeepAlive, Method};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer};

use crate::endpoint::{register, resource};
use crate::observe::observe;
use crate::problem::Problem;
use crate::tenant_context::Families;
use crate::{HttpState, routes};

/// A server that listens. It serves for as long as [`server`](Self::server) is awaited.
pub struct Serving {
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// The future that serves; its handle stops it, gracefully or not. It minds no signals: that is the program's.
    pub server: Server,
}

/// Listens where the settings say. Has to be called within an actix or tokio runtime.
pub fn serve(state: Arc<HttpState>) -> io::Result<Serving> {
    let settings = state.settings.clone();
    let data = Data::from(state);
    let server = HttpServer::new(move || app(Data::clone(&data)))
        .workers(settings.workers.max(1))
        .keep_alive(KeepAlive::Timeout(settings.keep_alive))
        .client_request_timeout(settings.request_timeout)
        .shutdown_timeout(settings.shutdown_timeout.as_secs())
        .disable_signals()
        .bind(settings.bind)?;
    Ok(Serving { addresses: server.addrs(), server: server.run() })
}

/// The application: every route, and around them the middleware that writes problems out.
pub(crate) fn app(
    state: Data<HttpState>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let ids = Arc::clone(&state.platform.ids);
    let endpoints = routes::endpoints();
    let families = Arc::new(Families::of(&endpoints, &state.prefix));
    App::new()
        .app_data(Data::clone(&state))
        .configure(|config| {
            register(config, &endpoints, &state.prefix);
            config.service(resource("/swagger/", vec![(Method::GET, web::to(routes::swagger))]));
            config.service(resource("/swagger/{file:.+}", vec![(Method::GET, web::to(routes::asset))]));
        })
        .default_service(web::to(move |request: HttpRequest| {
            let problem = families.nothing_at(request.path());
            async move { Err::<HttpResponse, Problem>(problem) }
        }))
        .wrap(from_fn(move |request, next| {
            let ids = Arc::clone(&ids);
            async move { observe(ids.as_ref(), request, next).await }
        }))
}
