import type { Locator } from "@playwright/test";
import type { User } from "../fixtures/api";
import { BasePage } from "./base.page";

export class LoginPage extends BasePage {
  readonly path = "/login";

  get email(): Locator {
    return this.page.getByLabel("Email", { exact: true });
  }
  get password(): Locator {
    return this.page.getByLabel("Password", { exact: true });
  }
  get keepSignedIn(): Locator {
    return this.page.getByLabel("Keep me signed in");
  }
  get submit(): Locator {
    return this.page.getByRole("button", { name: "Sign in", exact: true });
  }
  get alert(): Locator {
    return this.page.getByRole("alert");
  }

  async openWithNext(next: string): Promise<void> {
    await this.page.goto(`${this.path}?next=${encodeURIComponent(next)}`);
  }

  async signIn(user: Pick<User, "email" | "password">): Promise<void> {
    await this.email.fill(user.email);
    await this.password.fill(user.password);
    await this.submit.click();
  }
}
