//! What the lab needs from the browser.

use std::{any::Any, fmt, rc::Rc};

use leptos::prelude::*;
use session_client::Transport;

/// The browser, as far as the lab may use it. Requests go through [`Transport`] and carry no token.
pub trait LabPort: Transport {
    /// Listens to the events named `name` at `path`, until the returned value is dropped. `None` if that is not
    /// possible.
    fn subscribe(
        &self,
        path: &str,
        name: &str,
        on_message: Box<dyn Fn(StreamMessage)>,
    ) -> Option<Box<dyn Any>>;

    /// Opens a small window without a reference to this one. The caller cannot find out whether the browser allowed it:
    /// a window without an opener reports nothing back.
    fn open_window(&self, address: &str);

    /// Loads another site's page in place of this one. The query of this page is passed as `back`, to return to the
    /// same view.
    fn leave_for(&self, address: &str);
}

/// A message from an event stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamMessage {
    /// The data of an event.
    Data(String),
    /// The stream has ended, or is interrupted.
    Broken,
}

/// The port in context. The server has none, and it may only be used on its own thread.
#[derive(Clone, Copy)]
struct ProvidedPort(StoredValue<Rc<dyn LabPort>, LocalStorage>);

/// Provides the port to the lab. Call it inside the closure that is hydrated.
pub fn provide_lab_port(port: Rc<dyn LabPort>) {
    provide_context(ProvidedPort(StoredValue::new_local(port)));
}

/// The lab's access to the browser. Copies share it.
#[derive(Clone, Copy)]
pub struct PortHandle(Option<ProvidedPort>);

impl PortHandle {
    /// The port in context.
    pub fn of_page() -> Self {
        Self(use_context::<ProvidedPort>())
    }

    /// `None` on the server.
    pub fn get(self) -> Option<Rc<dyn LabPort>> {
        self.0.map(|ProvidedPort(port)| port.get_value())
    }
}

impl fmt::Debug for PortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortHandle").finish_non_exhaustive()
    }
}
