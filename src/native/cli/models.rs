//! `gaud models`: the models that a client can ask for, where each goes, and why.

use std::error::Error;
use std::fmt::Write;
use std::process::ExitCode;

use crate::gateway::Gateway;
use crate::models::{Catalog, Names};
use crate::request::model::ModelName;
use hyper::StatusCode;
use serde::{Deserialize, Serialize};

use super::control::{ControlServer, MODELS};
use super::running::{self, RunningGateway};
use crate::native::http::Server;

/// Print the models that a client can ask for, where each goes and why
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    place: RunningGateway,
    /// For machines: a JSON array
    #[arg(long)]
    json: bool,
}

/// What `GET /v1/models` answers.
#[derive(Deserialize)]
struct List {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    #[serde(alias = "provider")]
    owned_by: Option<String>,
    #[serde(alias = "contextWindow")]
    max_input_tokens: Option<u64>,
}

/// What `GET /admin/models` answers.
#[derive(Deserialize)]
struct AdminList {
    models: Vec<Model>,
}

/// A model. The gateway's answer has some fields, the configuration the others.
#[derive(Debug, PartialEq, Serialize)]
struct ModelRow {
    model: String,
    provider: Option<String>,
    /// The name that is sent to the provider.
    target_model: Option<String>,
    why: Option<String>,
    context_window: Option<u64>,
}

/// Prints the models that the gateway lists, or the configuration's models when no gateway answers.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let loaded = args.place.load()?;
    let server = args.place.server(loaded.as_ref());
    let gateway = loaded.as_ref().map(|loaded| &loaded.gateway);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let models = match (runtime.block_on(listed(&args.place, &server)), gateway) {
        (Ok(models), _) => models?,
        (Err(silence), None) => return Err(silence.into()),
        (Err(silence), Some(gateway)) => {
            eprintln!(
                "gaud: {silence}; these are the models of the configuration alone: start the \
                 gateway with `gaud run` to see those that it discovers"
            );
            configured(gateway)
        }
    };
    let rows: Vec<_> = models.into_iter().filter_map(|model| row(gateway, model)).collect();
    if args.json {
        println!("{}", serde_json::to_string(&rows)?)
    } else {
        print!("{}", table(&rows))
    }
    let remarks = runtime.block_on(running::remarks(&server, loaded.as_ref()));
    remarks.iter().for_each(|remark| super::tell(remark));
    if rows.is_empty() {
        super::tell("no model is listed; give a provider models = [\"NAME\"]");
    }
    Ok(ExitCode::SUCCESS)
}

/// The models that the gateway lists; the outer error is a gateway that does not answer.
async fn listed(
    place: &RunningGateway,
    server: &Server,
) -> Result<Result<Vec<Model>, String>, String> {
    if let Some(control) = ControlServer::find(place, Some(server)).await
        && let Ok(list) = control.ask::<AdminList>(MODELS).await
    {
        return Ok(Ok(list.models));
    }
    Ok(read(server, running::ask(server, "/v1/models").await?))
}

fn read(server: &Server, answer: (StatusCode, String)) -> Result<Vec<Model>, String> {
    match answer {
        (StatusCode::OK, text) => match serde_json::from_str::<List>(&text) {
            Ok(list) => Ok(list.data),
            Err(_) => Err(format!("the server at {server} does not list models")),
        },
        (status, _) => Err(format!("GET /v1/models on {server} was answered with {status}")),
    }
}

fn configured(gateway: &Gateway) -> Vec<Model> {
    let catalog = Catalog::of(gateway, &[], Names::Configured);
    let entries = catalog.entries().iter();
    let model = entries.map(|entry| Model {
        id: entry.name.to_string(),
        owned_by: Some(entry.provider.name.clone()),
        max_input_tokens: entry.context_window(),
    });
    model.collect()
}

/// `None` for a name with characters that a terminal would interpret.
fn row(gateway: Option<&Gateway>, model: Model) -> Option<ModelRow> {
    let name = ModelName::try_from(model.id).ok()?;
    let decision = gateway.and_then(|gateway| gateway.routes.decide(&name).ok());
    let provider = decision.and_then(|decision| gateway?.provider(decision.target.provider));
    let owner = model.owned_by.filter(|owner| ModelName::check(owner).is_ok());
    Some(ModelRow {
        model: name.to_string(),
        provider: provider.map(|provider| provider.name.clone()).or(owner),
        target_model: decision.map(|decision| decision.target.model.to_owned()),
        why: decision.map(|decision| decision.to_string()),
        context_window: model.max_input_tokens,
    })
}

fn table(rows: &[ModelRow]) -> String {
    let mut lines = vec![["NAME", "PROVIDER", "SENT AS", "WHY", "CONTEXT"].map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        let shown = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "-".to_owned());
        let window = row.context_window.map(|tokens| tokens.to_string());
        let [provider, model, why] = [&row.provider, &row.target_model, &row.why].map(shown);
        [row.model.clone(), provider, model, why, shown(&window)]
    }));
    let mut widths = [0; 5];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let [name, provider, model, why, window] = widths;
    let mut table = String::new();
    for [a, b, c, d, e] in &lines {
        let _ = writeln!(table, "{a:name$}  {b:provider$}  {c:model$}  {d:why$}  {e:>window$}");
    }
    table
}

#[cfg(test)]
mod tests {
    use crate::config::File;

    use super::*;

    const LIST: &str = r#"{"data":[{"id":"gpt-4o","owned_by":"p","max_input_tokens":128000},
        {"id":"fast","owned_by":"p"},{"id":"nowhere","owned_by":"a\nb"},{"id":"a\u001b[2J"}]}"#;

    fn rows(gateway: Option<&Gateway>) -> Vec<ModelRow> {
        let server = Server::of("127.0.0.1:1".parse().unwrap(), None);
        let models = read(&server, (StatusCode::OK, LIST.to_owned())).unwrap();
        models.into_iter().filter_map(|model| row(gateway, model)).collect()
    }

    #[test]
    fn the_table_says_where_each_model_goes() {
        let json =
            r#"{"providers":{"p":{"url":"http://a","match":["gpt-*"]}},"aliases":{"fast":"p:x"}}"#;
        let file = File::from_json(json.as_bytes()).unwrap();
        let gateway = Gateway::compile(&file, &|_| None).unwrap();
        let expected = "\
NAME     PROVIDER  SENT AS  WHY                                CONTEXT
gpt-4o   p         gpt-4o   match \"gpt-*\"                       128000
fast     p         x        alias \"fast\", then namespace \"p:\"        -
nowhere  -         -        -                                        -
";
        assert_eq!(table(&rows(Some(&gateway))), expected);
    }

    #[test]
    fn without_a_configuration_the_table_has_the_gateways_answer() {
        let expected = "\
NAME     PROVIDER  SENT AS  WHY  CONTEXT
gpt-4o   p         -        -     128000
fast     p         -        -          -
nowhere  -         -        -          -
";
        assert_eq!(table(&rows(None)), expected);
    }
}
