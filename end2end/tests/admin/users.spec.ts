import { randomUUID } from "node:crypto";
import { newPerson } from "../../fixtures/api";
import { expect, test } from "../../fixtures/test";
import { AccountPage } from "../../pages/account.page";
import { LoginPage } from "../../pages/login.page";

/** Files of the page that only administrators may need. */
const PART = /\/pkg\/.*admin_part/;

test("an administrator finds an account and disables it, and the browser that it is signed in with says why", async ({
  admin,
  api,
  browser,
  browserApi,
  server,
  user,
  users,
}) => {
  const elsewhere = await browser.newContext({ baseURL: server.origin });
  const theirs = await elsewhere.newPage();
  const [login, account] = [new LoginPage(theirs), new AccountPage(theirs)];
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);

  await browserApi.signIn(admin);
  await users.open();
  await users.find(user);
  await users.button("Disable", user).click();
  await users.page.getByRole("button", { name: "Yes, disable" }).click();
  await expect(users.said(`${user.email} is disabled, and its sessions have ended.`)).toBeVisible();
  await expect(users.entry(user)).toContainText("disabled since");
  await expect(users.button("End sessions of", user)).toHaveCount(0);

  // Their next request is refused, and so is the refresh that follows.
  await theirs.getByRole("link", { name: "Sessions" }).click();
  await login.expectHere();
  await expect(theirs.getByText("This account is disabled")).toBeVisible();
  await login.expectSession("anonymous");
  await elsewhere.close();
  expect((await api.post("/api/auth/login", { email: user.email, password: user.password })).status()).toBe(401);

  await users.button("Enable", user).click();
  await expect(users.said(`${user.email} can sign in again. Its old sessions stay ended.`)).toBeVisible();
  await expect(users.entry(user)).not.toContainText("disabled since");
  await api.signIn(user);
});

test("an administrator ends all sessions of an account, which can sign in again", async ({
  admin,
  api,
  browserApi,
  user,
  users,
}) => {
  const session = await api.signIn(user);
  await browserApi.signIn(admin);
  await users.open();
  await users.find(user);
  await users.button("End sessions of", user).click();
  await users.page.getByRole("button", { name: "Yes, end them" }).click();
  await expect(users.said(`All sessions of ${user.email} have ended.`)).toBeVisible();
  expect((await api.session(session.access_token)).status()).toBe(401);
  expect(await (await api.post("/api/auth/refresh")).json()).toMatchObject({
    code: "session_revoked",
    reason: "revoked_by_operator",
  });
  await api.signIn(user);
});

test("everything is done with the keyboard, and a no changes nothing", async ({ admin, api, browserApi, user, users }) => {
  const session = await api.signIn(user);
  await browserApi.signIn(admin);
  await users.open();
  await users.find(user);
  const { keyboard } = users.page;
  const [disable, question] = [users.button("Disable", user), users.page.getByRole("group", { name: `Disable ${user.email}?` })];

  await disable.focus();
  await keyboard.press("Enter");
  await expect(question).toBeFocused();
  await keyboard.press("Escape");
  await expect(disable).toBeFocused();

  await keyboard.press("Enter");
  await expect(question).toBeFocused();
  await keyboard.press("Tab");
  await keyboard.press("Tab");
  await expect(users.page.getByRole("button", { name: "Cancel" })).toBeFocused();
  await keyboard.press("Enter");
  await expect(disable).toBeFocused();
  expect((await api.session(session.access_token)).status()).toBe(200);

  await keyboard.press("Enter");
  await expect(question).toBeFocused();
  await keyboard.press("Tab");
  await keyboard.press("Enter");
  await expect(users.said("is disabled")).toBeVisible();
  // The clicked button is gone. The focus moves to the account, and the next tab stop is the next possible action.
  await expect(users.page.getByRole("heading", { name: user.email })).toBeFocused();
  await keyboard.press("Tab");
  await expect(users.button("Enable", user)).toBeFocused();
});

test("a long list comes a page at a time, and the keyboard goes on where the new page begins", async ({
  admin,
  api,
  browserApi,
  users,
}) => {
  const tag = randomUUID().slice(0, 8);
  const people = Array.from({ length: 23 }, (_, number) => ({
    ...newPerson(),
    email: `${tag}-${String(number).padStart(2, "0")}@example.com`,
  }));
  for (const person of people) await api.register(person);
  await browserApi.signIn(admin);
  await users.open();
  await expect(users.entries.first()).toBeVisible();
  // Capital letters and surrounding spaces do not matter.
  await users.search.fill(` ${tag.toUpperCase()}- `);
  await users.page.getByRole("button", { name: "Search", exact: true }).click();
  await expect(users.said(`The first 20 accounts that match “${tag.toUpperCase()}-”; there are more.`)).toBeVisible();
  await expect(users.entries).toHaveCount(20);

  await users.showMore.focus();
  await users.page.keyboard.press("Enter");
  await expect(users.entries).toHaveCount(23);
  await expect(users.said("23 accounts match")).toBeVisible();
  await expect(users.showMore).toHaveCount(0);
  await expect(users.page.getByRole("heading", { name: `${tag}-20@example.com` })).toBeFocused();
  const shown = await users.entries.getByRole("heading").allTextContents();
  expect(shown).toEqual(people.map(({ email }) => email));
});

test("a search without results says so, keeps its text, and stays out of the address bar", async ({
  admin,
  browserApi,
  users,
}) => {
  await browserApi.signIn(admin);
  await users.open();
  await expect(users.entries.first()).toBeVisible();
  await users.search.fill("100% & nobody_+#");
  await users.search.press("Enter");
  await expect(users.said("No account matches “100% & nobody_+#”.")).toBeVisible();
  await expect(users.entries).toHaveCount(0);
  await expect(users.search).toHaveValue("100% & nobody_+#");
  expect(new URL(users.page.url()).search).toBe("");
});

test("administrators cannot lock themselves out", async ({ admin, browserApi, users }) => {
  await browserApi.signIn(admin);
  await users.open();
  await users.find(admin);
  await expect(users.entry(admin)).toContainText("You cannot disable your own account");
  await expect(users.entry(admin).getByRole("button")).toHaveCount(0);
});

test("a search that gets no answer says so, and is tried again", async ({ admin, browserApi, consoleGuard, user, users }) => {
  consoleGuard.expect(/\/api\/admin\/users/);
  await browserApi.signIn(admin);
  await users.open();
  await users.find(admin);
  await users.page.route("**/api/admin/users/search", (route) => route.abort());
  await users.search.fill(user.email);
  await users.search.press("Enter");
  await expect(users.page.getByRole("alert").filter({ hasText: "The server did not answer" })).toBeVisible();
  await users.page.unroute("**/api/admin/users/search");
  await users.page.getByRole("button", { name: "Try again" }).click();
  await expect(users.entry(user)).toBeVisible();
  await expect(users.page.getByRole("alert").filter({ hasText: "The server did not answer" })).toHaveCount(0);
});

test("without the role the users page does not exist", async ({ account, api, browserApi, page, user, users }) => {
  const files: string[] = [];
  page.on("request", (request) => files.push(request.url()));
  const { access_token: token } = await browserApi.signIn(user);
  await users.open();
  await expect(users.heading).toHaveText("There is no such page");
  await account.open();
  await account.expectFor(user);
  await expect(users.link).toHaveCount(0);
  expect(files.filter((file) => PART.test(file))).toEqual([]);

  const refused = await api.get("/api/admin/users", token);
  expect(refused.status()).toBe(403);
  expect(await refused.json()).toMatchObject({ code: "forbidden" });
});

test("to an administrator the account's navigation has a link, and only then the page is fetched", async ({
  account,
  admin,
  browserApi,
  page,
  users,
}) => {
  const files: string[] = [];
  page.on("request", (request) => files.push(request.url()));
  await browserApi.signIn(admin);
  await account.open();
  await account.expectFor(admin);
  expect(files.filter((file) => PART.test(file))).toEqual([]);
  await users.link.click();
  await users.expectHere();
  await expect(users.heading).toHaveText("Users");
  await expect(users.heading).toBeFocused();
  await expect(users.entries.first()).toBeVisible();
  expect(files.filter((file) => PART.test(file))).not.toEqual([]);
});

test("what the server renders has nothing of the page", async ({ admin, browserApi, page, users }) => {
  await browserApi.signIn(admin);
  const html = await (await page.request.get(users.path, { headers: { "sec-fetch-site": "none" } })).text();
  expect(html).toContain('data-session="signed-in"');
  expect(html).not.toMatch(PART);
  expect(html).not.toContain("Users");
  expect(html).not.toContain(admin.email);
});

test("who is not signed in is asked to, and comes back", async ({ admin, login, users }) => {
  await users.open();
  await login.expectHere();
  await login.signIn(admin);
  await users.expectHere();
  await expect(users.heading).toHaveText("Users");
});
