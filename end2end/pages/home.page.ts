import { BasePage } from "./base.page";

export class HomePage extends BasePage {
  readonly path = "/";
}
