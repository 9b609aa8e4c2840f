/** What the server said to one request. */
export interface Answer {
  operation: string;
  body: { data: unknown; errors?: unknown };
}

/** A `fetch` that keeps every answer, to be compared with what a client's cache makes of it. */
export class Network {
  readonly answers: Answer[] = [];

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await globalThis.fetch(input, init);
    const { operationName } = JSON.parse(String(init?.body));
    this.answers.push({ operation: operationName, body: await response.clone().json() });
    return response;
  };

  /** The data of the last answer to an operation. Throws if it has errors, or never came. */
  data(operation: string): unknown {
    const answer = this.answers.findLast((answer) => answer.operation === operation);
    if (!answer || answer.body.errors) throw new Error(`${operation}: ${JSON.stringify(answer?.body.errors)}`);
    return answer.body.data;
  }

  /** The same without each `__typename`, which all clients ask for themselves and not all show. */
  shown(operation: string): unknown {
    const withoutTypes = (name: string, value: unknown) => (name === '__typename' ? undefined : value);
    return JSON.parse(JSON.stringify(this.data(operation)), withoutTypes);
  }
}
