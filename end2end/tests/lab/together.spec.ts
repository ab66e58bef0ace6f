import { expect, test } from "../../fixtures/test";

test.use({ labIsOpen: true });

test("while a run is under way no other may begin", async ({ lab, context, consoleGuard }) => {
  // Refreshes are refused, and some responses are lost.
  consoleGuard.allow(/status of (4\d\d|502) .*\.localhost:/);
  const [races, scripts] = [lab.bench("races"), lab.bench("scripts")];
  await lab.open();
  await expect(races.start).toBeEnabled();
  const opened = context.waitForEvent("page");
  await races.start.click();
  for (const bench of [scripts, races]) {
    await bench.start.click();
    await expect(bench.problem).toContainText("“Races” is still running");
  }
  await expect(scripts.progress).toHaveText("Not run yet.");
  await opened;
  expect(context.pages()).toHaveLength(2);
});

test("a run goes on while this tab is the second one, and afterwards no other may begin until it is over", async ({
  lab,
  context,
  page,
  consoleGuard,
}) => {
  test.setTimeout(360_000);
  // Failed attacks get 4xx, and a visitor who returns from another site may have sent no cookie (`SameSite`).
  consoleGuard.allow(/status of 4\d\d .*\.localhost:/);
  consoleGuard.allow(/status of 401 .*\/api\/auth\/refresh$/);
  const [storage, forgery] = [lab.storage, lab.bench("forgery")];
  await lab.open();
  await expect(storage.start).toBeEnabled();
  const away = page.waitForRequest(/\/second-tab\?/);
  await storage.start.click();
  await away;
  await page.waitForURL((url) => url.pathname === lab.path && url.searchParams.has("run"));
  // Here only the run itself shows its progress.
  await expect.poll(() => storage.done()).toBeGreaterThan(0);
  const before = await storage.done();
  await expect.poll(() => storage.done()).toBeGreaterThan(before);
  await forgery.start.click();
  await expect(forgery.problem).toContainText("“Where tokens are kept” is still running");
  await expect(forgery.progress).toHaveText("Not run yet.");

  await storage.expectFinished({ timeout: 150_000 });
  const left = Object.entries(await storage.verdicts()).filter(([, verdict]) => verdict === "not-measured");
  expect(left.map(([place]) => place.split(".")[1])).toEqual(Array(6).fill("restart"));
  const next = context.waitForEvent("page");
  await forgery.start.click();
  await (await next).waitForURL(/\/play\?/);
  await expect(forgery.problem).toBeEmpty();
});
