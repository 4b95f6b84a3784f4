//! Brings an Envoy from the documents that serve to others, step by step, or back.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::Method;
use tokio::time::{interval, timeout};

use super::acknowledgement::{Progress, Reading};
use super::files::Files;
use super::steps::steps;
use crate::native::http::ask_socket;
use crate::native::os_error::words;
use crate::native::render::live::{Document, Kind, SecretFiles};

/// How often Envoy is asked whether it has taken a document.
const ASK_INTERVAL: Duration = Duration::from_millis(10);

/// How long Envoy may take for a document: much longer than it takes on a busy machine.
const ACKNOWLEDGEMENT_LIMIT: Duration = Duration::from_secs(20);

/// A configuration that Envoy takes from files.
#[derive(Debug)]
pub struct Live {
    files: Files,
    /// The socket of Envoy's admin interface.
    admin: PathBuf,
    serving: Vec<Document>,
    secrets: SecretFiles,
    /// Of the document that was written last.
    version: u64,
}

/// What an application has changed.
#[derive(Debug, PartialEq, Eq)]
pub enum Applied {
    /// The documents are those that serve.
    Nothing,
    /// The version with which all serve.
    Version(u64),
}

/// Why documents do not serve; those before do.
#[derive(Debug)]
pub enum Refusal {
    /// Envoy, or the filter, refuses; Envoy's log says why.
    Refused(Kind),
    /// Envoy has not said anything.
    Late(Kind),
    Unwritten(Kind, io::Error),
}

impl Refusal {
    /// Whether Envoy's log has the reason.
    pub fn is_in_log(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(kind) => write!(f, "Envoy refuses {}", kind.folder()),
            Self::Late(kind) => {
                write!(f, "Envoy has not taken {} within {ACKNOWLEDGEMENT_LIMIT:?}", kind.folder())
            }
            Self::Unwritten(kind, error) => {
                write!(f, "{} cannot be written for Envoy: {}", kind.folder(), words(error))
            }
        }
    }
}

impl Live {
    /// Writes what an Envoy reads at its start.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn begin(
        folder: &Path,
        admin: &Path,
        documents: Vec<Document>,
        secrets: SecretFiles,
    ) -> io::Result<Self> {
        const FIRST: u64 = 1;
        let files = Files::create(folder)?;
        files.put_secrets(&secrets, &SecretFiles::default())?;
        for document in &documents {
            files.put(document, FIRST)?;
        }
        Ok(Self { files, admin: admin.to_owned(), serving: documents, secrets, version: FIRST })
    }

    /// The version of the document that was written last.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Waits until Envoy has taken all that it was started with.
    ///
    /// # Errors
    /// [`Refusal`]: Envoy runs without the configuration, and answers errors.
    pub async fn begun(&self) -> Result<(), Refusal> {
        let mut waiting: Vec<Kind> = self.serving.iter().map(Document::kind).collect();
        let mut ticks = interval(ASK_INTERVAL);
        let progress = async {
            while !waiting.is_empty() {
                ticks.tick().await;
                // All of them: while Envoy refuses the listener, it does not look for the routes.
                let mut left = Vec::new();
                for kind in waiting.iter().copied() {
                    match self.progress(kind, self.version, &Reading::default()).await {
                        Progress::Taken => {}
                        Progress::Refused => return Err(Refusal::Refused(kind)),
                        Progress::Waiting => left.push(kind),
                    }
                }
                waiting = left;
            }
            Ok(())
        };
        match timeout(ACKNOWLEDGEMENT_LIMIT, progress).await {
            Ok(begun) => begun,
            Err(_) => waiting.first().map_or(Ok(()), |kind| Err(Refusal::Late(*kind))),
        }
    }

    /// Brings Envoy to `wanted`, or leaves it with the documents that serve.
    ///
    /// # Errors
    /// [`Refusal`]: the documents before serve, under a new version.
    pub async fn apply(
        &mut self,
        wanted: Vec<Document>,
        secrets: SecretFiles,
    ) -> Result<Applied, Refusal> {
        // A cluster that is new names its secret.
        let written = self.files.put_secrets(&secrets, &self.secrets);
        written.map_err(|error| Refusal::Unwritten(Kind::Clusters, error))?;
        let applied = self.apply_documents(wanted).await;
        if applied.is_ok() {
            self.files.remove_secrets(&secrets, &self.secrets);
            self.secrets = secrets;
        }
        applied
    }

    /// Gives Envoy these secrets, for the documents that serve.
    ///
    /// # Errors
    /// A file cannot be written; the secret before stays.
    pub fn give(&mut self, secrets: SecretFiles) -> io::Result<()> {
        self.files.put_secrets(&secrets, &self.secrets)?;
        self.secrets = secrets;
        Ok(())
    }

    async fn apply_documents(&mut self, wanted: Vec<Document>) -> Result<Applied, Refusal> {
        let steps = steps(&self.serving, &wanted);
        if steps.is_empty() {
            return Ok(Applied::Nothing);
        }
        self.version += 1;
        let ahead = self.put_ahead(&steps).await?;
        for (done, document) in steps.iter().enumerate() {
            let ahead = ahead.iter().find(|(kind, _)| *kind == document.kind());
            let taken = match ahead {
                Some((kind, before)) => self.acknowledged(*kind, self.version, before).await,
                None => self.step(document).await,
            };
            if let Err(refusal) = taken {
                let written: Vec<Kind> = steps.iter().take(done + 1).map(Document::kind).collect();
                self.take_back(&written).await;
                return Err(refusal);
            }
        }
        self.serving = wanted;
        Ok(Applied::Version(self.version))
    }

    /// Writes the documents of kinds that do not serve yet: Envoy refuses a listener that names a file which is not there,
    /// and reads the document when it has taken the listener. What Envoy has said of the kinds before.
    ///
    /// They are written once: Envoy refuses a certificate once, and takes the same certificate without a word afterwards.
    async fn put_ahead(&self, steps: &[Document]) -> Result<Vec<(Kind, Reading)>, Refusal> {
        let mut ahead = Vec::new();
        for document in steps {
            let kind = document.kind();
            if !self.serving.iter().any(|own| own.kind() == kind) {
                ahead.push((kind, self.reading(kind).await.unwrap_or_default()));
                let written = self.files.put(document, self.version);
                written.map_err(|error| Refusal::Unwritten(kind, error))?;
            }
        }
        Ok(ahead)
    }

    async fn step(&self, document: &Document) -> Result<(), Refusal> {
        let kind = document.kind();
        let before = self.reading(kind).await.unwrap_or_default();
        self.files.put(document, self.version).map_err(|error| Refusal::Unwritten(kind, error))?;
        self.acknowledged(kind, self.version, &before).await
    }

    /// A refused document may serve in part, as some clusters of many, so that all documents that were written are replaced,
    /// the last one first. Envoy does not look at a document whose version it has.
    async fn take_back(&mut self, written: &[Kind]) {
        self.version += 1;
        let serving = |kind: &&Kind| self.serving.iter().find(|own| own.kind() == **kind);
        for document in written.iter().rev().collect::<Vec<_>>().iter().filter_map(serving) {
            // Envoy has taken this document before; where it does not now, the next change says so.
            let _ = self.step(document).await;
        }
    }

    async fn acknowledged(
        &self,
        kind: Kind,
        version: u64,
        before: &Reading,
    ) -> Result<(), Refusal> {
        let mut ticks = interval(ASK_INTERVAL);
        let progress = async {
            loop {
                ticks.tick().await;
                match self.progress(kind, version, before).await {
                    Progress::Taken => return Ok(()),
                    Progress::Refused => return Err(Refusal::Refused(kind)),
                    Progress::Waiting => {}
                }
            }
        };
        timeout(ACKNOWLEDGEMENT_LIMIT, progress).await.unwrap_or(Err(Refusal::Late(kind)))
    }

    async fn progress(&self, kind: Kind, version: u64, before: &Reading) -> Progress {
        let reading = self.reading(kind).await;
        reading.map_or(Progress::Waiting, |reading| reading.progress(version, before))
    }

    /// `None` where Envoy does not answer.
    async fn reading(&self, kind: Kind) -> Option<Reading> {
        let (_, text) = ask_socket(&self.admin, Method::GET, &Reading::path(kind)).await.ok()?;
        Some(Reading::of(kind, &text))
    }
}
