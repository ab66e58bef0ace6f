import { newPerson } from "../../fixtures/api";
import { lacking } from "../../fixtures/lacking";
import { expect, test } from "../../fixtures/test";
import { watchWordsFromNow, wordsSeen } from "../../fixtures/words";
import { AccountPage } from "../../pages/account.page";
import { LoginPage } from "../../pages/login.page";

/** The time within which other tabs should notice. */
const SOON = { timeout: 1_000 };

test("signing out in one tab empties the other within a second", async ({ browserApi, account, user, consoleGuard }) => {
  // The other tab may ask the server to confirm, and learns that there is no cookie.
  consoleGuard.allow(/status of 401 .*\/api\/auth\/refresh$/);
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  const other = await account.openAnother(user);

  await account.signOut();
  await expect(other.page.locator("html")).toHaveAttribute("data-session", "anonymous", SOON);
  await expect(other.signOutButton).toBeHidden(SOON);
  await expect(other.page.locator("body")).not.toContainText(user.email, SOON);
  await expect(other.page.getByText("You signed out")).toBeVisible();
});

test("signing in as another user in one tab shows that user in the other, and never both", async ({
  browserApi,
  api,
  account,
  user,
  context,
}) => {
  const next = newPerson();
  await api.register(next);
  const login = new LoginPage(await context.newPage());
  await login.open();
  await expect(login.submit).toBeEnabled();
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await account.expectAtRest();
  await watchWordsFromNow(account.page, [user.email, next.email]);

  await login.signIn(next);
  await new AccountPage(login.page).expectFor(next);
  await expect(account.page.getByText(next.email).first()).toBeVisible(SOON);
  await account.expectFor(next);
  const seen = await wordsSeen(account.page);
  expect(seen[0]).toEqual([user.email]);
  expect(seen.at(-1)).toEqual([next.email]);
  expect(seen.filter((together) => together.length > 1)).toEqual([]);
  // Between the two, the page showed no user.
  expect(seen).toContainEqual([]);
});

test("a session that ends is over in all tabs, with its reason", async ({ browserApi, account, user, consoleGuard, clock }) => {
  consoleGuard.allow(/status of 401 /);
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  const other = await account.openAnother(user);
  await account.expectAtRest();
  await clock.advance(8 * 24 * 60 * 60);

  await account.page.reload();
  await account.expectSession("anonymous");
  await expect(other.page.locator("html")).toHaveAttribute("data-session", "anonymous", SOON);
  await expect(other.page.getByText("Your session ran out")).toBeVisible();
});

test("without BroadcastChannel and locks, a tab notices when it is looked at", async ({ browserApi, account, user, context, consoleGuard }) => {
  consoleGuard.allow(/status of 401 /);
  await lacking(context, "BroadcastChannel", "locks", "storage events");
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  const other = await account.openAnother(user);

  await account.signOut();
  await other.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await expect(other.page.locator("html")).toHaveAttribute("data-session", "anonymous", SOON);
});

test("a tab without messages that refreshes as another user keeps nothing of the former user's", async ({
  api,
  browserApi,
  sessions,
  user,
  context,
  consoleGuard,
}) => {
  consoleGuard.allow(/status of 401 /);
  await lacking(context, "BroadcastChannel", "storage events");
  const next = newPerson();
  await api.register(next);
  await api.signIn(user);
  await browserApi.signIn(user);
  await sessions.open();
  await sessions.expectEntries(2);

  await browserApi.signIn(next);
  await sessions.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await sessions.expectEntries(1);
});

test("a page from the back/forward cache shows no user until it has asked", async ({ browserApi, account, home, user, page, consoleGuard }) => {
  consoleGuard.allow(/status of 401 /);
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  const transition = (name: string) =>
    page.evaluate((name) => {
      window.dispatchEvent(new PageTransitionEvent(name, { persisted: true }));
    }, name);

  // The exact events of the back/forward cache, whether or not this browser caches pages with `no-store`.
  await transition("pagehide");
  await expect(page.locator("main")).not.toContainText(user.email);
  await transition("pageshow");
  await account.expectFor(user);

  // The real case: signed out elsewhere while the page was cached.
  await home.open();
  await home.signOutButton.click();
  await home.expectSession("anonymous");
  await page.goBack();
  await account.expectSession("anonymous");
  await expect(page.locator("body")).not.toContainText(user.email);
});

test("a tab that never releases the lock does not delay others for long", async ({ browserApi, account, user, context }) => {
  const holder = await context.newPage();
  await holder.goto("/");
  await holder.evaluate(
    () =>
      new Promise<void>((held) => {
        void navigator.locks.request("keyturn.cookie", () => {
          held();
          return new Promise(() => {});
        });
      }),
  );
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await account.signOut();
});

test("a tab that is given the lock after it has left the line gives it back", async ({ browserApi, account, user, context, page }) => {
  const holder = await context.newPage();
  await holder.goto("/");
  // Browsers do this when granting the lock and leaving the page overlap; here every release comes too late.
  await page.addInitScript(() => {
    const request = navigator.locks.request.bind(navigator.locks) as (name: string, hold: LockGrantedCallback<void>) => Promise<void>;
    Object.defineProperty(navigator.locks, "request", {
      value: (name: string, _: LockOptions, hold: LockGrantedCallback<void>) => request(name, hold),
    });
  });
  await holder.evaluate(
    () =>
      new Promise<void>((held) => {
        void navigator.locks.request("keyturn.cookie", () => {
          held();
          return new Promise<void>((release) => Object.assign(window, { release }));
        });
      }),
  );
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  const line = () => holder.evaluate(async () => navigator.locks.query());
  expect((await line()).pending).toHaveLength(1);

  await holder.evaluate(() => (window as unknown as { release: () => void }).release());
  await expect.poll(line).toEqual({ held: [], pending: [] });
});
