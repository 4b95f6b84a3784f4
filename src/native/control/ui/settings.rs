//! The settings of the file, as fields: changed together, each with where its value comes from.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::error::{PageError, PageResult};
use super::field::read;
use super::form::{Form, Posted};
use super::page::{done, page, with_status};
use super::section::{Section, sections};
use super::visit::Admin;
use crate::native::control::api::{Control, SettingsRead, Shared};
use crate::native::control::change::{Changed, Put};
use crate::native::control::error::ApiError;
use crate::native::control::secrets;
use crate::native::control::settings::{MASK, SettingKey, dotted, is_secret_place};
use crate::native::http::encoded;

/// How the names of fields with settings begin.
const FIELD: &str = "set ";

#[derive(Serialize)]
struct Settings {
    file: String,
    etag: String,
    sections: Vec<Section>,
    /// What is wrong and is about no field.
    problems: Vec<String>,
    new: NewProvider,
    any: AnySetting,
}

/// What was typed in for a new provider.
#[derive(Default, Serialize)]
struct NewProvider {
    name: String,
    url: String,
}

/// What was typed in for any setting.
#[derive(Default, Serialize)]
struct AnySetting {
    key: String,
    value: String,
}

/// What was sent: texts by the keys of their settings.
type Typed = BTreeMap<String, String>;

pub(super) async fn show(State(control): Shared, admin: Admin) -> PageResult {
    let settings = read_page(&control)?;
    page(&control, &admin, "settings.html", "Settings", &settings)
}

/// The page as the file is now.
fn read_page(control: &Control) -> Result<Settings, ApiError> {
    let file = control.config()?.path().display().to_string();
    let SettingsRead { etag, settings } = control.read_settings()?;
    let mut sections = sections(&settings);
    for field in sections.iter_mut().flat_map(Section::fields) {
        // A key that was typed in is in a file of its own, whose name is nobody's business.
        if secrets::is_stored(&control.data, &field.value) {
            field.value = MASK.to_owned();
        }
    }
    let (new, any) = (NewProvider::default(), AnySetting::default());
    Ok(Settings { file, etag, sections, problems: Vec::new(), new, any })
}

pub(super) async fn save(State(control): Shared, posted: Posted) -> PageResult {
    let Posted { admin, form } = posted;
    let settings = read_page(&control)?;
    if form.text("etag") != settings.etag {
        let problem = "Somebody has changed the file since this page was loaded, so nothing was saved. The fields show what you \
            have typed, and what the file has now; save again to overwrite that.";
        let kept = settings.with(&form, vec![problem.to_owned()]);
        let page = page(&control, &admin, "settings.html", "Settings", &kept);
        return with_status(StatusCode::CONFLICT, page);
    }
    let typed = match typed(&form) {
        Ok(typed) => settings.changed(typed),
        Err(problem) => {
            return refused(&control, &admin, settings, &form, &ApiError::invalid(problem));
        }
    };
    let removed = typed.iter().find(|(key, text)| is_url(key) && text.is_empty());
    if let Some((key, _)) = removed
        && form.text("confirm") != key
    {
        return ask(&control, &admin, key, &form);
    }
    let only = removed.map(|(key, text)| (key.clone(), text.clone()));
    let typed = only.map_or(typed, |one| Typed::from([one]));
    match apply(&control, &admin, &typed, &settings.etag).await {
        Ok(word) => {
            let is_there = |section: &&Section| section.id == form.text("section");
            let section = settings.sections.iter().find(is_there).map_or("", |section| &section.id);
            Ok(done(&control, &admin, &format!("/settings#{}", encoded(section)), word))
        }
        Err(error) => refused(&control, &admin, settings, &form, &error),
    }
}

/// The settings that a form has sent.
fn typed(form: &Form) -> Result<Typed, String> {
    let normal = |text: &str| text.trim().replace("\r\n", "\n");
    let fields = form.pairs().filter_map(|(name, text)| Some((name.strip_prefix(FIELD)?, text)));
    let mut typed: Typed = fields.map(|(key, text)| (key.to_owned(), normal(text))).collect();
    if let Some(name) = form.filled("new_name") {
        let url = form.filled("new_url").ok_or("A new provider needs a URL.")?;
        typed.insert(dotted(&["providers", name, "url"]), url.to_owned());
    }
    if let Some(key) = form.filled("any_key") {
        let key = SettingKey::parse(key).map_err(|problem| format!("{problem}."))?;
        typed.insert(dotted(&key.parts()), normal(form.text("any_value")));
    }
    Ok(typed)
}

fn is_url(key: &str) -> bool {
    let key = SettingKey::parse(key);
    key.is_ok_and(|key| matches!(key.parts().as_slice(), ["providers", _, "url"]))
}

impl Settings {
    /// Of what was sent, what differs from the page. A setting that the page does not have was typed in as any setting.
    fn changed(&self, mut typed: Typed) -> Typed {
        let fields = self.sections.iter().flat_map(|own| own.first.iter().chain(&own.rest));
        for field in fields {
            if typed.get(&field.key) == Some(&field.value) {
                typed.remove(&field.key);
            }
        }
        typed
    }

    /// The page with what was typed into it, and what is wrong with that.
    fn with(mut self, form: &Form, problems: Vec<String>) -> Self {
        let typed = typed(form).unwrap_or_default();
        for section in &mut self.sections {
            for field in section.fields() {
                if let Some(text) = typed.get(&field.key) {
                    field.keep(text);
                }
            }
            section.is_open = section.id == form.text("section");
        }
        let text = |name: &str| form.text(name).to_owned();
        self.new = NewProvider { name: text("new_name"), url: text("new_url") };
        let is_secret =
            SettingKey::parse(&text("any_key")).is_ok_and(|key| is_secret_place(&key.parts()));
        let value = if is_secret { String::new() } else { text("any_value") };
        self.any = AnySetting { key: text("any_key"), value };
        self.problems = problems;
        self
    }

    /// Puts each fault at its field; the others are said at the top.
    fn blame(&mut self, error: &ApiError) {
        if error.faults().is_empty() {
            return self.problems.push(error.message().to_owned());
        }
        for (path, problem) in error.faults() {
            let is_it = |key: &str| SettingKey::parse(key).is_ok_and(|key| key.path() == *path);
            let mut fields = self.sections.iter_mut().flat_map(Section::fields);
            match fields.find(|field| is_it(&field.key)) {
                Some(field) => field.problem = Some(format!("{} {problem}.", field.key)),
                None => self.problems.push(format!("{path}: {problem}.")),
            }
        }
    }
}

fn refused(
    control: &Control,
    admin: &Admin,
    settings: Settings,
    form: &Form,
    error: &ApiError,
) -> PageResult {
    let mut settings = settings.with(form, Vec::new());
    settings.blame(error);
    with_status(error.status(), page(control, admin, "settings.html", "Settings", &settings))
}

/// Asks before a provider is removed, and says what goes with it.
fn ask(control: &Control, admin: &Admin, key: &str, form: &Form) -> PageResult {
    #[derive(Serialize)]
    struct Remove<'a> {
        key: &'a str,
        field: String,
        provider: String,
        etag: &'a str,
        section: &'a str,
        removed: Vec<String>,
    }
    let parsed =
        SettingKey::parse(key).map_err(|problem| PageError::from(ApiError::invalid(problem)))?;
    let remove = Remove {
        key,
        field: format!("{FIELD}{key}"),
        provider: parsed.parts().get(1).copied().unwrap_or_default().to_owned(),
        etag: form.text("etag"),
        section: form.text("section"),
        removed: control.would_remove(key)?,
    };
    page(control, admin, "remove.html", "Remove a provider", &remove)
}

/// Makes the changes; what has come of them, in words.
async fn apply(
    control: &Control,
    admin: &Admin,
    typed: &Typed,
    etag: &str,
) -> Result<String, ApiError> {
    let mut puts = puts(typed)?;
    if puts.is_empty() {
        return Ok("Nothing has changed.".to_owned());
    }
    // A provider is there once it has a URL.
    puts.sort_by_key(|put| !is_url(&put.key));
    let changed = control.set(&admin.id, &puts, Some(etag.as_bytes())).await?;
    Ok(told(&puts, &changed))
}

fn puts(typed: &Typed) -> Result<Vec<Put>, ApiError> {
    let mut puts = Vec::new();
    for (key, text) in typed {
        let fault = |problem: String| ApiError::faulty(vec![(path(key), problem)]);
        if is_url(key) && text.contains(MASK) {
            return Err(fault("has stars for its password: type the password again".to_owned()));
        }
        let value = if text == MASK { Value::from(MASK) } else { read(text).map_err(fault)? };
        puts.push(Put { key: key.clone(), value });
    }
    Ok(puts)
}

fn path(key: &str) -> String {
    SettingKey::parse(key).map_or_else(|_| key.to_owned(), |key| key.path())
}

/// What the data plane has taken, and what not.
fn told(puts: &[Put], changed: &Changed) -> String {
    let waits: Vec<_> = puts.iter().filter(|put| changed.waits_for(&put.key)).collect();
    let mut word = match waits.len() == puts.len() {
        true => "Saved.".to_owned(),
        false => {
            format!("Saved, and in effect: the gateway runs with version {}.", changed.version)
        }
    };
    if !waits.is_empty() {
        let names: Vec<_> = waits.iter().map(|put| put.key.as_str()).collect();
        word += &format!(" {} waits for a restart of gaud run.", names.join(", "));
    }
    if !changed.removed.is_empty() {
        word += &format!(" Removed with it: {}.", changed.removed.join(", "));
    }
    word
}
