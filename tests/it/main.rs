//! One binary of tests over the whole program, a folder or file a subject.

mod answers;
mod apis;
mod buckets;
mod cli;
mod clients;
mod closed_loop;
#[cfg(unix)]
mod cluster;
mod cold;
mod comparisons;
mod corrupted;
mod crashes;
mod dead_address;
mod export;
mod faults;
mod formats;
mod frontier;
mod fuzz;
mod gateways;
mod grafana;
mod history;
mod import;
mod init;
#[cfg(unix)]
mod interrupted;
mod layers;
mod leave;
mod live;
mod load;
#[cfg(unix)]
mod mishaps;
mod older;
mod open_loop;
mod pictures;
mod policy;
mod prepare;
#[cfg(unix)]
mod report_page;
mod scenarios;
mod secrets;
mod selftest;
mod serve;
#[cfg(target_os = "linux")]
mod servers;
mod sessions;
mod several_servers;
mod stage;
mod steady;
#[cfg(target_os = "linux")]
mod supervise;
mod truth;
mod twin;
#[cfg(unix)]
mod unserved;
mod watch;
