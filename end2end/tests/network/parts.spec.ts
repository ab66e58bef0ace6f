import { expect, test } from "../../fixtures/test";

/** The files of the app that a page has fetched. */
function parts(requests: string[]): string[] {
  return requests.flatMap((url) => /\/pkg\/split_(\w+?)_part\./.exec(url)?.[1] ?? []);
}

test("the sign-in page fetches no part of the program that it does not need", async ({ login, inspector, page, user }) => {
  const fetched: string[] = [];
  page.on("request", (request) => fetched.push(request.url()));
  await login.open();
  await expect(login.submit).toBeEnabled();
  expect(parts(fetched)).toEqual([]);

  await login.signIn(user);
  await expect(page).toHaveURL((url) => url.pathname === "/account");
  expect([...new Set(parts(fetched))]).toEqual(["private"]);
  await page.getByRole("link", { name: "Inspector" }).click();
  await inspector.expectHere();
  await expect(inspector.turns.first()).toContainText("Number 1");
  expect([...new Set(parts(fetched))]).toEqual(["private", "inspector"]);
});

test("a part that does not arrive costs its page and not the session", async ({ browserApi, account, inspector, user, page, consoleGuard }) => {
  consoleGuard.expect(/Failed to load resource/);
  consoleGuard.allow(/TypeError|Failed to fetch/);
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await page.route("**/pkg/split_inspector_part.*", (route) => route.abort());
  await page.getByRole("link", { name: "Inspector" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "This page did not arrive" })).toBeVisible();
  await account.expectSession("signed-in");

  // The app still runs: another page works, and this one does when the network is back.
  await page.getByRole("link", { name: "Account", exact: true }).click();
  await account.expectFor(user);
  await page.unroute("**/pkg/split_inspector_part.*");
  await page.getByRole("link", { name: "Inspector" }).click();
  await expect(inspector.turns.first()).toContainText("Number");
});

test("a page whose part does not arrive at first waits for it, and then is what it should be", async ({ browserApi, account, user, page, consoleGuard }) => {
  consoleGuard.expect(/Failed to load resource/);
  consoleGuard.allow(/TypeError|Failed to fetch|preloaded using link preload/);
  await browserApi.signIn(user);
  let refused = 0;
  await page.route("**/pkg/split_private_part.*", (route) => {
    refused += 1;
    return refused > 2 ? route.continue() : route.abort();
  });
  await account.open();
  await account.expectFor(user);
  expect(refused).toBeGreaterThan(2);
});

test("files that are cached without limit have unique names in each build", async ({ home, page, outside }) => {
  const files: string[] = [];
  page.on("response", (response) => {
    if (response.url().includes("/pkg/")) files.push(response.url());
  });
  await home.open();
  await home.expectSession("anonymous");
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) {
    const answer = await outside.get(file, { headers: { "accept-encoding": "br" } });
    expect(answer.headers()["cache-control"], file).toContain("immutable");
    expect(answer.headers()["content-encoding"], file).toBe("br");
    expect(file).toMatch(/\.[\w-]{22}\.(js|wasm|css)$/);
  }
});
