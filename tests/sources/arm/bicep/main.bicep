// One vault by itself, two by a module: compiled by hand to main.json, as the compiler documents its output.
@description('What all names begin with')
param prefix string
param workspaceId string

var vaultName = '${prefix}-kv'

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: vaultName
  location: resourceGroup().location
  properties: {
    sku: { family: 'A', name: 'standard' } // resource x 'Not/this@1' = {}
    tenantId: subscription().tenantId
  }
}

resource vaultAudit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'AuditEvent', enabled: true }
    ]
  }
}

module audited 'modules/vault.bicep' = {
  name: 'audited'
  params: {
    name: '${prefix}-audited'
    workspaceId: workspaceId
  }
}

module bare 'modules/vault.bicep' = {
  name: 'bare'
  params: {
    name: '${prefix}-bare'
  }
}
