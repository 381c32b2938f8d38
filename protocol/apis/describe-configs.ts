import type { Reader } from '../buffer/reader.ts'
import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { compactStructs, compactText, compactTextOrNull, dropTags } from '../schema/compact.ts'
import { array, bool, int16, int32, int8, string } from '../schema/fields.ts'

/** Returns the configuration of topics, brokers, loggers or groups. */
export const describeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: '0-4',
  flexible: '4+',
  request: {
    resources: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configurationKeys: array('0+', 'string', { nullable: '0+' }),
    }),
    includeSynonyms: bool('1+'),
    includeDocumentation: bool('3+'),
  },
  response: {
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configs: array(
        '0+',
        {
          name: string('0+'),
          value: string('0+', { nullable: '0+' }),
          readOnly: bool('0+'),
          isDefault: bool('0'),
          configSource: int8('1+', { default: -1, ignorable: true }),
          isSensitive: bool('0+'),
          synonyms: array(
            '1+',
            {
              name: string('1+'),
              value: string('1+', { nullable: '0+' }),
              source: int8('1+'),
            },
            { ignorable: true },
          ),
          configType: int8('3+', { ignorable: true }),
          documentation: string('3+', { nullable: '0+', ignorable: true }),
        },
        {},
        { versions: '4', read: readConfig },
      ),
    }),
  },
})

function readConfig(reader: Reader) {
  const config = {
    name: compactText(reader),
    value: compactTextOrNull(reader),
    readOnly: reader.bool(),
    isDefault: false,
    configSource: reader.int8(),
    isSensitive: reader.bool(),
    synonyms: compactStructs(reader, readSynonym),
    configType: reader.int8(),
    documentation: compactTextOrNull(reader),
  }
  dropTags(reader)
  return config
}

function readSynonym(reader: Reader) {
  const synonym = {
    name: compactText(reader),
    value: compactTextOrNull(reader),
    source: reader.int8(),
  }
  dropTags(reader)
  return synonym
}

export type DescribeConfigsRequest = RequestOf<typeof describeConfigs>
export type DescribeConfigsResponse = ResponseOf<typeof describeConfigs>
