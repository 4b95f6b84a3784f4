//! Four gateways under load, while they and their database are killed, paused and cut off: nothing that was served is lost or
//! counts twice, and the budget is spent and not exceeded.

use super::{ADMIN_KEY, COST, Gateways, budgets::budget};
use crate::kit::client::Request;
use crate::kit::client::h1::{self, Connection};
use crate::kit::harness::wait;
use crate::kit::load::Load;
use crate::kit::postgres::Server;
use crate::kit::random::Random;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::read_to_string;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

const GATEWAYS: usize = 4;
const CLIENTS: usize = 8;

/// What a fault lasts, in answers of the gateways, refusals among them.
const ANSWERS: u64 = 60;

/// For each fault.
const REQUESTS: u64 = 60;

#[derive(Clone, Copy, Debug)]
enum Fault {
    KilledEnvoy,
    KilledGaud,
    EndedGaud,
    PausedGaud,
    PausedDatabase,
    CutConnections,
}

impl Fault {
    const ALL: [Self; 6] = [
        Self::KilledEnvoy,
        Self::KilledGaud,
        Self::EndedGaud,
        Self::PausedGaud,
        Self::PausedDatabase,
        Self::CutConnections,
    ];
}

/// Where the gateways are now, and what they have answered.
#[derive(Default)]
struct Clients {
    addrs: Mutex<Vec<SocketAddr>>,
    answers: AtomicU64,
    served: AtomicU64,
}

impl Clients {
    fn start(self: &Arc<Self>, key: &str) -> Load {
        let (own, key) = (Arc::clone(self), key.to_owned());
        Load::start(
            CLIENTS,
            0..u64::MAX,
            |client| client,
            move |client, _| {
                let addr = own.addrs.lock().expect("addresses")[*client % GATEWAYS];
                let Some(mut connection) = Connection::try_open(addr) else { return };
                connection.send_request(&chat(&key));
                let Some(answer) = connection.try_response() else { return };
                own.answers.fetch_add(1, SeqCst);
                let is_whole = answer.status == 200 && answer.complete;
                own.served.fetch_add(u64::from(is_whole), SeqCst);
            },
        )
    }

    fn wait(&self, answers: u64) {
        let end = self.answers.load(SeqCst) + answers;
        wait::until_true("answers", || self.answers.load(SeqCst) >= end);
    }
}

fn chat(key: &str) -> Request {
    let body = json!({"model": "priced", "max_tokens": 1, "messages": []});
    Request::chat(body.to_string()).case("priced").header("authorization", format!("Bearer {key}"))
}

/// The first process of the server, and those that it has started.
fn processes(server: &Server) -> Vec<i32> {
    let pids = read_to_string(server.folder.join("data/postmaster.pid")).expect("a file");
    let first: i32 = pids.lines().next().expect("a line").parse().expect("a number");
    let children = format!("/proc/{first}/task/{first}/children");
    let children = read_to_string(children).expect("a list of processes");
    let children = children.split_whitespace().map(|pid| pid.parse().expect("a number"));
    [first].into_iter().chain(children).collect()
}

fn send(pid: i32, signal: Signal) {
    // A connection's process may have ended meanwhile.
    let _ = kill_process(Pid::from_raw(pid).expect("a process"), signal);
}

#[test]
fn each_fault_once() {
    run(&Fault::ALL, 1);
}

#[test]
#[ignore = "ten minutes, with `make kills`"]
fn faults_at_random() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (faults, seed) = (number("KILLS").unwrap_or(100), number("KILLS_SEED").unwrap_or(1));
    eprintln!("{faults} faults, KILLS_SEED={seed}");
    let mut random = Random::new(seed as u64);
    let faults: Vec<_> = (0..faults).map(|_| *random.pick(&Fault::ALL)).collect();
    run(&faults, seed as u64);
}

fn run(faults: &[Fault], seed: u64) {
    let (server, mut random) = (Server::start(), Random::new(seed));
    let mut gateways = Gateways::start_on(GATEWAYS, server.url("postgres"));
    for run in &gateways.runs {
        run.keep();
    }
    let requests = (faults.len() as u64 + 2) * REQUESTS;
    let (key, _) = gateways.key(&budget(requests));
    let clients = Arc::new(Clients::default());
    *clients.addrs.lock().expect("addresses") = addrs(&gateways);
    let load = clients.start(&key);
    for fault in faults {
        let victim = random.below(GATEWAYS);
        clients.wait(ANSWERS);
        gateways.suffer(*fault, victim, &server, &clients);
        *clients.addrs.lock().expect("addresses") = addrs(&gateways);
    }
    let used_up = || gateways.spent() >= requests * COST;
    wait::until_true("the budget is used up", used_up);
    clients.wait(4 * ANSWERS);
    load.stop(0);
    let (whole, seen) = (clients.served.load(SeqCst), gateways.spent() / COST);
    println!(
        "{seen} requests of {requests} reached the provider, {whole} clients saw the whole answer"
    );
    assert!(seen <= requests + GATEWAYS as u64, "{seen} of {requests}");
    let sums = wait::until("all that was served is in the ledger", || {
        let sums = gateways.sums();
        (number(&sums, "attempts") >= seen).then_some(sums)
    });
    let counted = number(&sums, "attempts") - number(&sums, "guessed") - number(&sums, "failed");
    assert!(whole <= counted && counted <= seen, "{whole} <= {counted} <= {seen}: {sums}");
    for run in &gateways.runs {
        std::fs::remove_file(run.folder().join("keep")).expect("the mark");
    }
}

fn addrs(gateways: &Gateways) -> Vec<SocketAddr> {
    gateways.runs.iter().map(|run| run.addr()).collect()
}

fn number(row: &Value, name: &str) -> u64 {
    row[name].as_u64().unwrap_or_default()
}

impl Gateways {
    fn suffer(&mut self, fault: Fault, victim: usize, server: &Server, clients: &Clients) {
        println!("{fault:?} {victim}");
        match fault {
            Fault::KilledEnvoy => {
                send(self.runs[victim].envoy().cast_signed(), Signal::KILL);
                self.come_back(victim, clients);
            }
            Fault::KilledGaud => {
                self.runs[victim].signal(Signal::KILL);
                self.come_back(victim, clients);
            }
            Fault::EndedGaud => {
                self.runs[victim].signal(Signal::TERM);
                self.come_back(victim, clients);
            }
            Fault::PausedGaud => {
                self.runs[victim].signal(Signal::STOP);
                clients.wait(ANSWERS);
                self.runs[victim].signal(Signal::CONT);
            }
            Fault::PausedDatabase => {
                let processes = processes(server);
                processes.iter().for_each(|pid| send(*pid, Signal::STOP));
                clients.wait(ANSWERS);
                processes.iter().for_each(|pid| send(*pid, Signal::CONT));
            }
            Fault::CutConnections => {
                let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE pid <> pg_backend_pid() AND usename = 'gaud'";
                server.sql("postgres", others);
            }
        }
    }

    /// The gateway ends, and begins again in its folder while the others serve.
    fn come_back(&mut self, victim: usize, clients: &Clients) {
        self.runs[victim].ended();
        clients.wait(ANSWERS);
        let folder = self.runs[victim].folder().to_owned();
        self.begin(folder);
        self.runs.swap_remove(victim);
    }

    /// What the ledger has of the provider.
    fn sums(&self) -> Value {
        let request = Request::new("GET", "/admin/usage?by=provider")
            .header("authorization", format!("Bearer {ADMIN_KEY}"));
        let rows = h1::exchange(self.runs[0].addr(), &request).json()["rows"].clone();
        let rows = rows.as_array().cloned().unwrap_or_default();
        rows.into_iter().find(|row| row["provider"] == "one").unwrap_or_default()
    }
}
