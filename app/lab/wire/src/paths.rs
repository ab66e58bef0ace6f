//! Paths of the lab's part of the API. The router and the pages use these and no literals; the tests spell them out.

pub const RUNS: &str = "/api/lab/runs";
pub const RUN: &str = "/api/lab/runs/{id}";
/// Server-sent events: one `run` event after each change, with the complete [`RunSnapshot`](crate::RunSnapshot).
pub const RUN_EVENTS: &str = "/api/lab/runs/{id}/events";
pub const CELL: &str = "/api/lab/runs/{id}/cells/{column}/{row}";
pub const REPORT: &str = "/api/lab/runs/{id}/report";
pub const SIMULATIONS: &str = "/api/lab/plays";
pub const SIMULATION: &str = "/api/lab/plays/{id}";
pub const SIMULATION_ACTIONS: &str = "/api/lab/plays/{id}/acts";
/// Server-sent events: one `play` event after each change, with the complete
/// [`SimulationSnapshot`](crate::live::SimulationSnapshot).
pub const SIMULATION_EVENTS: &str = "/api/lab/plays/{id}/events";
