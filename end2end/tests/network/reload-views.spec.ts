import type { Locator, Page } from "@playwright/test";
import { expect, test } from "../../fixtures/test";

interface View {
  name: string;
  path: string;
  /** The request of the view. */
  request: string;
  /** The element that shows that the data has loaded. */
  loaded: (page: Page) => Locator;
  admin?: boolean;
}

const VIEWS: View[] = [
  {
    name: "the list of sessions",
    path: "/account/sessions",
    request: "**/api/sessions*",
    loaded: (page) => page.getByText("this device"),
  },
  {
    name: "the timeline",
    path: "/account/security",
    request: "**/api/account/events*",
    loaded: (page) => page.getByRole("region", { name: "What happened" }).getByText("Signed in").first(),
  },
  {
    name: "the session on the account page",
    path: "/account",
    request: "**/api/auth/session",
    loaded: (page) => page.getByText(/^number \d+/),
  },
  {
    name: "the administrators' list",
    path: "/admin/users",
    request: "**/api/admin/users*",
    loaded: (page) => page.getByRole("list", { name: "Accounts" }).getByRole("listitem").filter({ hasText: "administrator" }).first(),
    admin: true,
  },
];

for (const { name, path, request, loaded, admin: needsAdmin } of VIEWS) {
  test(`${name} can be loaded again with a button when it failed`, async ({ browserApi, user, admin, page, consoleGuard }) => {
    consoleGuard.allow(/Failed to load resource/);
    await browserApi.signIn(needsAdmin ? admin : user);
    await page.route(request, (route) => route.fulfill({ status: 503, contentType: "text/html", body: "" }));
    await page.goto(path);
    const again = page.getByRole("button", { name: "Try again" });
    await expect(again).toBeVisible();
    await page.unroute(request);
    await again.click();
    await expect(loaded(page)).toBeVisible();
    await expect(again).toBeHidden();
  });

  test(`${name} loads by itself when the server is back`, async ({ browserApi, user, admin, page, consoleGuard }) => {
    consoleGuard.allow(/Failed to load resource|net::ERR_/);
    await browserApi.signIn(needsAdmin ? admin : user);
    await page.route(request, (route) => route.abort());
    await page.goto(path);
    // A lost request marks the connection as lost, and the banner shows it.
    await expect(page.getByText(/^Reconnecting/)).toBeVisible();
    await page.unroute(request);
    await expect(loaded(page)).toBeVisible();
    await expect(page.getByText(/^Reconnecting/)).toBeHidden();
    await expect(page.getByRole("button", { name: "Try again" })).toBeHidden();
  });
}

test("a part that did not arrive is fetched by itself when the network is back", async ({ browserApi, account, inspector, user, page, consoleGuard }) => {
  consoleGuard.allow(/Failed to load resource|TypeError|Failed to fetch/);
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await page.route("**/pkg/split_inspector_part.*", (route) => route.abort());
  await page.getByRole("link", { name: "Inspector" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "This page did not arrive" })).toBeVisible();
  await page.unroute("**/pkg/split_inspector_part.*");
  await expect(inspector.turns.first()).toContainText("Number");
});
