//! Connections to a PostgreSQL.

mod listen;
mod session;
mod tls;
mod url;
mod value;

use std::error::Error;
use std::fmt;
use std::io;

use tokio_postgres::{Client, Connection, Socket};

use crate::native::os_error::words;
pub(crate) use listen::listen;
pub(crate) use session::Session;
pub(crate) use url::PostgresUrl;

/// The channel that tells of changes of keys.
pub(crate) const CHANNEL: &str = "gaud_keys";

/// The connection's own side: it must be polled for as long as the client is used.
pub(crate) type Wire = Connection<Socket, tls::Secured<Socket>>;

/// What a PostgreSQL, or the way to the PostgreSQL, has not done.
#[derive(Debug)]
pub struct PostgresError {
    /// `HOST:PORT/DATABASE`; empty where it is not known.
    place: String,
    problem: String,
}

/// Connects. The caller polls the second value, for example by `tokio::spawn`.
pub(crate) async fn connect(url: &PostgresUrl) -> Result<(Client, Wire), PostgresError> {
    let tls = tls::Tls::of(url).map_err(|problem| PostgresError::of(url, problem))?;
    let connected = url.config.connect(tls).await;
    connected.map_err(|error| PostgresError::from(url, &error))
}

impl PostgresError {
    pub(crate) fn of(url: &PostgresUrl, problem: impl Into<String>) -> Self {
        Self { place: url.to_string(), problem: problem.into() }
    }

    /// The thread that speaks with the server has ended, as no thread should.
    fn gone() -> Self {
        Self { place: String::new(), problem: "it is not asked any more".to_owned() }
    }

    pub(crate) fn from(url: &PostgresUrl, error: &tokio_postgres::Error) -> Self {
        Self::of(url, problem(error))
    }
}

/// The error in words: those of the database, else those of the system.
fn problem(error: &tokio_postgres::Error) -> String {
    if let Some(own) = error.as_db_error() {
        return own.message().to_owned();
    }
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<io::Error>() {
        // TLS wraps its own words.
        Some(error) => error.get_ref().map_or_else(|| words(error), ToString::to_string),
        None if error.is_closed() => "the connection has ended".to_owned(),
        None => cause.to_string(),
    }
}

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the database {}: {}", self.place, self.problem)
    }
}

impl Error for PostgresError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::database::testing;

    /// What a statement answers at this URL.
    fn ask(url: &str, sql: &str) -> Result<String, String> {
        let url = PostgresUrl::parse(url)?;
        let session = Session::begin(url).map_err(|error| error.to_string())?;
        let rows = session.query(sql, &[]).map_err(|error| error.to_string())?;
        rows.first().ok_or("no row")?.get(0).map_err(|error| error.to_string())
    }

    #[test]
    fn the_connection_is_encrypted_and_checked_as_the_url_says() {
        let (server, database) = testing::server();
        let ca = server.folder.join("ca.pem");
        let at = |host: &str, options: &str| {
            let url = format!("postgres://gaud@{host}:{}/{database}?{options}", server.port);
            ask(&url, "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        };
        let root = format!("sslrootcert={}", ca.display());
        assert_eq!(at("127.0.0.1", "sslmode=disable").as_deref(), Ok("false"));
        for options in ["", "sslmode=require", &format!("sslmode=verify-ca&{root}"), &root] {
            assert_eq!(at("127.0.0.1", options).as_deref(), Ok("true"), "{options}");
        }
        let full = format!("sslmode=verify-full&{root}");
        assert_eq!(at("localhost", &full).as_deref(), Ok("true"));
        let other_name = at("127.0.0.1", &full).unwrap_err();
        assert!(other_name.contains("not valid for name"), "{other_name}");
        let unknown = at("localhost", "sslmode=verify-full").unwrap_err();
        assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    }

    #[test]
    fn a_wrong_password_is_refused_and_not_said() {
        let (server, database) = testing::server();
        server.sql(&database, "CREATE ROLE ann LOGIN PASSWORD 'right'");
        let at = |password: &str| {
            let url = format!("postgres://ann:{password}@127.0.0.1:{}/{database}", server.port);
            ask(&url, "SELECT current_user::text")
        };
        assert_eq!(
            at("right"),
            Err("the database ".to_owned()
                + &format!(
                    "127.0.0.1:{}/{database}: permission denied for database {database}",
                    server.port
                ))
        );
        let refused = at("s3cret").unwrap_err();
        assert!(refused.ends_with("password authentication failed for user \"ann\""), "{refused}");
        server.sql(&database, &format!("GRANT CREATE ON DATABASE {database} TO ann"));
        assert_eq!(at("right").as_deref(), Ok("ann"));
    }

    #[test]
    fn a_connection_that_has_ended_is_made_again_but_not_within_a_transaction() {
        let (server, database) = testing::server();
        let session = Session::begin(PostgresUrl::parse(&server.url(&database)).unwrap()).unwrap();
        let end = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'gaud'";
        session.run("CREATE TABLE t (n BIGINT)").unwrap();
        server.sql(&database, end);
        // The first statement may meet the end of the connection.
        let again = (0..2).any(|_| session.run("SELECT 1").is_ok());
        assert!(again);
        session.begin_transaction().unwrap();
        session.run("INSERT INTO t VALUES (1)").unwrap();
        server.sql(&database, end);
        assert!(session.run("INSERT INTO t VALUES (2)").is_err());
        assert!(session.run("COMMIT").is_err());
        let _ = session.run("ROLLBACK");
        session.run("INSERT INTO t VALUES (3)").unwrap();
        assert_eq!(server.sql(&database, "SELECT sum(n) FROM gaud.t"), "3");
    }
}
