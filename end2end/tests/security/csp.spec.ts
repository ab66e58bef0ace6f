import type { APIResponse, Response } from "@playwright/test";
import { newPerson } from "../../fixtures/api";
import { expect, test } from "../../fixtures/test";

function policyOf(response: Response | APIResponse | null): Map<string, string[]> {
  const header = response?.headers()["content-security-policy"] ?? "";
  return new Map(
    header
      .split(";")
      .map((directive) => directive.trim().split(/\s+/))
      .map(([name, ...values]) => [name ?? "", values]),
  );
}
const nonceOf = (policy: Map<string, string[]>) => policy.get("script-src")?.find((source) => source.startsWith("'nonce-"));

for (const path of ["/", "/register", "/login", "/nowhere"]) {
  test(`${path} stands under a strict policy, with a new nonce each time`, async ({ page, consoleGuard }) => {
    if (path === "/nowhere") consoleGuard.expectStatus(404, path);
    const first = policyOf(await page.goto(path));
    const second = policyOf(await page.reload());
    for (const policy of [first, second]) {
      expect(policy.get("default-src")).toEqual(["'none'"]);
      expect(policy.get("base-uri")).toEqual(["'none'"]);
      expect(policy.get("object-src") ?? policy.get("default-src")).toEqual(["'none'"]);
      expect(policy.get("frame-ancestors")).toEqual(["'none'"]);
      expect(policy.get("script-src")).toContain("'wasm-unsafe-eval'");
      const everything = [...policy.values()].flat();
      expect(everything).not.toContain("'unsafe-inline'");
      expect(everything).not.toContain("'unsafe-eval'");
      expect(everything.filter((source) => source === "*" || source === "https:" || source === "data:")).toEqual([]);
    }
    expect(nonceOf(first)).toMatch(/^'nonce-[\w+/=-]{16,}'$/);
    expect(nonceOf(first)).not.toBe(nonceOf(second));
  });
}

test("the API and its errors stand under a policy, too", async ({ request, server }) => {
  for (const path of ["/api/me", "/api/nowhere", "/health/live", "/.well-known/jwks.json"]) {
    const policy = policyOf(await request.get(server.origin + path));
    expect(policy.get("default-src"), path).toEqual(["'none'"]);
    expect([...policy.values()].flat(), path).not.toContain("'unsafe-inline'");
  }
});

test("an injected script does not run", async ({ page, consoleGuard }) => {
  const smuggle = async (keepPolicy: boolean) => {
    await page.unrouteAll();
    await page.route("/login", async (route) => {
      // The browser's own request, which says that this is a navigation and not caused by another site.
      const response = await route.fetch({ headers: { ...(await route.request().allHeaders()), "sec-fetch-site": "none" } });
      // After everything that the page's own app looks at.
      const body = (await response.text()).replace("</body>", "<script>window.smuggled = true</script></body>");
      const headers = response.headers();
      if (!keepPolicy) delete headers["content-security-policy"];
      await route.fulfill({ response, body, headers });
    });
    await page.goto("/login");
    return page.evaluate(() => "smuggled" in window);
  };
  // Without the policy the script does run, so it is the policy that stops it.
  expect(await smuggle(false)).toBe(true);
  consoleGuard.expect(/^csp: script-src-elem blocked inline$/);
  consoleGuard.expect(/^console\.error: .*inline script.*Content Security Policy/);
  expect(await smuggle(true)).toBe(false);
});

test("text cannot be turned into a program", async ({ page, consoleGuard }) => {
  await page.goto("/login");
  consoleGuard.expect(/^csp: script-src blocked eval$/);
  const outcome = await page.evaluate(
    () =>
      new Promise((resolve) => {
        // From a timer, hence from the page and not from the test's own privileged call.
        setTimeout(() => {
          try {
            resolve(new Function("return 'ran'")());
          } catch (error) {
            resolve((error as Error).name);
          }
        });
      }),
  );
  expect(outcome).toBe("EvalError");
});

test("no page complains while a person uses all of them", async ({ register, account, login, home, page, consoleGuard }) => {
  const person = newPerson();
  await home.open();
  await register.open();
  await register.create(person);
  await account.expectFor(person);
  await page.reload();
  await account.expectFor(person);
  await home.open();
  await home.expectSession("signed-in");
  await account.open();
  await account.signOut();
  await login.open();
  await login.signIn(person);
  await account.expectFor(person);
  // Asserted here as well as by the fixture, because it is the subject of this test.
  expect(consoleGuard.verdict()).toEqual([]);
});
