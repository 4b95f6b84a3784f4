//! One connection to a PostgreSQL for callers that wait: a thread of its own speaks with the server.
//!
//! A connection that has ended is made again by the next statement, unless a transaction was under way: the transaction ends
//! with an error.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::{Client, Statement};

use super::{PostgresError, PostgresUrl, connect};
use crate::native::database::{Row, Value};

/// How long a statement may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How many runs of a statement are under way at once.
const AT_ONCE: usize = 1000;

/// What all processes of this program hold while they make changes: one at a time does.
const WRITERS_LOCK: &str = "SELECT pg_advisory_xact_lock(7166165847110279026)";

/// All tables are in a schema of their own: another program may use the same database.
const PREPARE: &str = "SET client_min_messages TO warning;
    CREATE SCHEMA IF NOT EXISTS gaud;
    SET search_path TO gaud;
    CREATE TABLE IF NOT EXISTS schemas (part TEXT PRIMARY KEY, number BIGINT NOT NULL);";

/// A way to the thread, which ends with the last way to it.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    jobs: UnboundedSender<Asked>,
    in_transaction: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Job {
    Begin,
    Run(String),
    Execute(String, Vec<Vec<Value>>),
    Query(String, Vec<Value>),
}

enum Answer {
    Nothing,
    Counts(Vec<u64>),
    Rows(Vec<Row>),
}

type Outcome = Result<Answer, PostgresError>;

#[derive(Debug)]
struct Asked {
    job: Job,
    answer: mpsc::SyncSender<Outcome>,
}

impl Session {
    /// Begins a session; the connection comes with the first statement.
    pub(crate) fn begin(url: PostgresUrl) -> Result<Self, PostgresError> {
        let (jobs, asked) = unbounded_channel();
        let failed = |error: std::io::Error| PostgresError::of(&url, error.to_string());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let in_transaction = Arc::new(AtomicBool::new(false));
        let speaker =
            Speaker { url: url.clone(), link: None, in_transaction: Arc::clone(&in_transaction) };
        let builder = thread::Builder::new().name("postgres".to_owned());
        builder.spawn(move || runtime.block_on(speaker.serve(asked))).map_err(failed)?;
        Ok(Self { jobs, in_transaction })
    }

    /// Whether no transaction is under way.
    pub(crate) fn is_idle(&self) -> bool {
        !self.in_transaction.load(SeqCst)
    }

    pub(crate) fn begin_transaction(&self) -> Result<(), PostgresError> {
        self.ask(Job::Begin).map(drop)
    }

    pub(crate) fn run(&self, sql: &str) -> Result<(), PostgresError> {
        self.ask(Job::Run(sql.to_owned())).map(drop)
    }

    pub(crate) fn execute(
        &self,
        sql: &str,
        rows: Vec<Vec<Value>>,
    ) -> Result<Vec<u64>, PostgresError> {
        Ok(match self.ask(Job::Execute(sql.to_owned(), rows))? {
            Answer::Counts(counts) => counts,
            Answer::Nothing | Answer::Rows(_) => Vec::new(),
        })
    }

    pub(crate) fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, PostgresError> {
        Ok(match self.ask(Job::Query(sql.to_owned(), values.to_vec()))? {
            Answer::Rows(rows) => rows,
            Answer::Nothing | Answer::Counts(_) => Vec::new(),
        })
    }

    fn ask(&self, job: Job) -> Outcome {
        let (answer, outcome) = mpsc::sync_channel(1);
        // The thread lives for as long as a session has a way to it.
        let sent = self.jobs.send(Asked { job, answer });
        let answered = sent.ok().and_then(|()| outcome.recv().ok());
        answered.unwrap_or_else(|| Err(PostgresError::gone()))
    }
}

/// The thread's side.
struct Speaker {
    url: PostgresUrl,
    /// `None` before the first statement, and after the connection has ended.
    link: Option<Link>,
    in_transaction: Arc<AtomicBool>,
}

struct Link {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Speaker {
    async fn serve(mut self, mut asked: UnboundedReceiver<Asked>) {
        while let Some(Asked { job, answer }) = asked.recv().await {
            let outcome = match timeout(LIMIT, self.perform(&job)).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    self.link = None;
                    let problem = format!("it does not answer within {} seconds", LIMIT.as_secs());
                    Err(PostgresError::of(&self.url, problem))
                }
            };
            if self.link.as_ref().is_some_and(|link| link.client.is_closed()) {
                self.link = None;
            }
            // A caller that has gone wants no answer.
            let _ = answer.send(outcome);
        }
    }

    async fn perform(&mut self, job: &Job) -> Outcome {
        let ends = matches!(job, Job::Run(sql) if sql == "COMMIT" || sql == "ROLLBACK");
        let was_in_transaction = self.in_transaction.load(SeqCst);
        if ends || matches!(job, Job::Begin) {
            self.in_transaction.store(!ends, SeqCst);
        }
        if self.link.as_ref().is_none_or(|link| link.client.is_closed()) {
            if was_in_transaction {
                return Err(PostgresError::of(&self.url, "the connection has ended"));
            }
            self.link = Some(self.connect().await?);
        }
        let Some(link) = &mut self.link else { return Err(PostgresError::gone()) };
        match link.perform(job).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                // The server says why the connection ends before the connection has ended.
                if ends_connection(&error) {
                    self.link = None;
                }
                Err(PostgresError::from(&self.url, &error))
            }
        }
    }

    async fn connect(&self) -> Result<Link, PostgresError> {
        let (client, wire) = connect(&self.url).await?;
        tokio::spawn(wire);
        let failed = |error| PostgresError::from(&self.url, &error);
        // Who makes the schema at the same time as another waits.
        let sql = format!("BEGIN; {WRITERS_LOCK}; {PREPARE} COMMIT;");
        client.batch_execute(&sql).await.map_err(failed)?;
        Ok(Link { client, statements: HashMap::new() })
    }
}

fn ends_connection(error: &tokio_postgres::Error) -> bool {
    let severity = error.as_db_error().and_then(DbError::parsed_severity);
    error.is_closed() || matches!(severity, Some(Severity::Fatal | Severity::Panic))
}

impl Link {
    async fn perform(&mut self, job: &Job) -> Result<Answer, tokio_postgres::Error> {
        match job {
            Job::Begin => {
                self.client.batch_execute(&format!("BEGIN; {WRITERS_LOCK}")).await?;
                Ok(Answer::Nothing)
            }
            Job::Run(sql) => {
                self.client.batch_execute(sql).await?;
                Ok(Answer::Nothing)
            }
            Job::Execute(sql, rows) => {
                let statement = self.prepared(sql).await?;
                let mut counts = Vec::with_capacity(rows.len());
                for rows in rows.chunks(AT_ONCE) {
                    let run = |values| self.client.execute_raw(&statement, values);
                    for count in join_all(rows.iter().map(run)).await {
                        counts.push(count?);
                    }
                }
                Ok(Answer::Counts(counts))
            }
            Job::Query(sql, values) => {
                let statement = self.prepared(sql).await?;
                let refs: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
                    values.iter().map(|value| value as _).collect();
                let rows = self.client.query(&statement, &refs).await?;
                Ok(Answer::Rows(rows.iter().map(row).collect::<Result<_, _>>()?))
            }
        }
    }

    async fn prepared(&mut self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&super::value::numbered(sql)).await?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

fn row(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    (0..row.len()).map(|place| row.try_get(place)).collect::<Result<_, _>>().map(Row)
}
