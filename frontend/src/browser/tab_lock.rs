//! One turn at a time for all tabs, by the Web Locks API.

use js_sys::{Function, Object, Promise, Reflect};
use session_client::{Queue, TabLock, Turn};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

/// The names of the locks, which all pages of our origin share.
const fn name_of(queue: Queue) -> &'static str {
    match queue {
        Queue::First => "keyturn.cookie",
        Queue::Overflow => "keyturn.cookie.overflow",
    }
}

/// `navigator.locks`, which exists in secure contexts of browsers since 2022, or nothing.
#[derive(Debug)]
pub(crate) struct WebLocks;

/// Ends the turn: the promise that the browser waits for is kept.
struct Release(Function);

/// Leaves the line. Once the lock is ours the signal has no effect any more.
struct Leave(AbortController);

impl TabLock for WebLocks {
    fn turn(&self, queue: Queue) -> std::pin::Pin<Box<dyn Future<Output = Option<Turn>>>> {
        Box::pin(async move {
            let controller = AbortController::new().ok()?;
            let granted = request(name_of(queue), &controller)?;
            let _leave = Leave(controller);
            let release: Function = JsFuture::from(granted).await.ok()?.dyn_into().ok()?;
            Some(Box::new(Release(release)) as Turn)
        })
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        let _ = self.0.call0(&JsValue::NULL);
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks for the lock. The promise resolves, when it is granted, with the function that gives it back.
///
/// By reflection: `web-sys` counts this API as unstable, and where it is missing a call would throw.
fn request(name: &str, controller: &AbortController) -> Option<Promise> {
    let navigator: JsValue = web_sys::window()?.navigator().into();
    let locks = Reflect::get(&navigator, &"locks".into()).ok()?;
    let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    let options = Object::new();
    let signal = controller.signal();
    Reflect::set(&options, &"signal".into(), &signal).ok()?;
    let mut asked = None;
    let granted = Promise::new(&mut |grant, refuse| {
        let signal = signal.clone();
        // The lock is held until the promise is kept that this returns. It frees itself when it is called; one that
        // never is stays behind, some bytes for each turn that was not waited for.
        let hold = Closure::once_into_js(move |_lock: JsValue| {
            // Who leaves while the grant is already on its way is given the lock all the same, and nobody is left here
            // who would ever give it back.
            if signal.aborted() {
                return Promise::resolve(&JsValue::UNDEFINED);
            }
            Promise::new(&mut |release, _| {
                let _ = grant.call1(&JsValue::NULL, &release);
            })
        });
        match request.call3(&locks, &name.into(), &options, &hold) {
            Ok(promise) => asked = promise.dyn_into::<Promise>().ok(),
            Err(error) => {
                let _ = refuse.call1(&JsValue::NULL, &error);
            }
        }
    });
    // Who leaves the line makes this promise fail, and a failure that nobody hears of is reported as an error.
    if let Some(asked) = asked {
        spawn_local(async {
            let _ = JsFuture::from(asked).await;
        });
    }
    Some(granted)
}
