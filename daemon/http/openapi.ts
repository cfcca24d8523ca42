import { z } from 'zod';
import { problemSchema } from './problem.ts';
import { jsonType, type Route } from './route.ts';

const path = '/api/v1/openapi.json';
const refusedBodies: Readonly<Record<string, string>> = {
  '400': 'The body is not what is expected here',
  '413': 'The body has more than 1 MiB',
  '415': 'The body is not application/json',
};
const refusals: Readonly<Record<string, string>> = {
  '401': 'No token was shown, or a wrong one',
  '403': 'The token may not do this, or the endpoint is off',
  '429': 'Too many wrong tokens, or too many readers',
};

/** The OpenAPI 3.1 document of these routes. Pure. */
export function openApiDocument(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Argus',
      version: '1',
      description:
        "What the daemon serves. Additive: keys are never removed or renamed, and readers pass over those that they don't know.",
    },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token of daemon.http.tokens' },
        basic: { type: 'http', scheme: 'basic', description: 'A token as the password: only for reading' },
        certificate: { type: 'mutualTLS', description: 'A certificate signed by daemon.http.tls.clientCa' },
      },
    },
  };
}

function operation(route: Route): object {
  const parameters = [
    ...[...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...Object.entries(route.query ?? {}).map(([name, description]) => ({
      name,
      in: 'query',
      required: false,
      description,
      schema: { type: 'string' },
    })),
  ];
  const refused = [
    ...(route.access === 'open' ? [] : Object.entries(refusals)),
    ...(route.body ? Object.entries(refusedBodies) : []),
  ];
  const content = (type: string, schema: z.ZodType | undefined) => ({
    [type.split(';')[0] as string]: { schema: schema === undefined ? { type: 'string' } : schemaOf(schema) },
  });
  const answers = Object.entries(route.answers).map(([status, { description, type, schema }]) => [
    status,
    { description, content: content(type, schema) },
  ]);
  return {
    summary: route.summary,
    security: securityOf(route),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body && { requestBody: { required: true, content: content(jsonType, route.body) } }),
    responses: Object.fromEntries([
      ...refused.map(([status, description]) => [status, { description, content: content(jsonType, problemSchema) }]),
      ...answers,
    ]),
  };
}

function securityOf({ access }: Route): readonly object[] {
  switch (access) {
    case 'open':
      return [];
    case 'read':
      // The empty one: where no token for reading is configured, none is needed.
      return [{}, { bearer: [] }, { basic: [] }, { certificate: [] }];
    case 'act':
      return [{ bearer: [] }, { certificate: [] }];
  }
}

// Input: what is not described may be there too.
const schemaOf = (schema: z.ZodType) => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
};

/** The route that serves the document of the others, and of itself. */
export function openApiRoute(routes: readonly Route[]): Route {
  const route: Route = {
    method: 'GET',
    path,
    access: 'read',
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1', type: jsonType } },
    handle: () => ({ status: 200, type: jsonType, body }),
  };
  const body = `${JSON.stringify(openApiDocument([...routes, route]), null, 2)}\n`;
  return route;
}
