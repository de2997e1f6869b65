# A part of Contoso's production subscription as the teams wrote it: the same names, and so the same findings.
# Its plan is made by scripts/plan_contoso.py; nothing is ever applied.

terraform {
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "4.40.0"
    }
  }
}

provider "azurerm" {
  subscription_id = "0b8970f7-cd1b-520a-90b8-7e2f6abf3592"
  features {}
}

provider "azurerm" {
  alias           = "platform"
  subscription_id = "35f26f30-f3f6-5141-8100-11cd27c88021"
  features {}
}

locals {
  we     = "westeurope"
  ne     = "northeurope"
  tenant = "5cd90244-4378-5aa0-a424-669565f3f740"
  # What other teams look after.
  shared = "/subscriptions/35f26f30-f3f6-5141-8100-11cd27c88021/resourceGroups/rg-logging/providers"
  archive = {
    we = "${local.shared}/Microsoft.Storage/storageAccounts/stcontosoarchwe"
    ne = "${local.shared}/Microsoft.Storage/storageAccounts/stcontosoarchne"
  }
  flows = {
    we = "${local.shared}/Microsoft.Storage/storageAccounts/stcontosoflowwe"
    ne = "${local.shared}/Microsoft.Storage/storageAccounts/stcontosoflowne"
  }
  sec  = "${local.shared}/Microsoft.OperationalInsights/workspaces/law-contoso-sec"
  siem = "${local.shared}/Microsoft.EventHub/namespaces/evhns-contoso-siem/authorizationrules/RootManageSharedAccessKey"
}

resource "azurerm_log_analytics_workspace" "app" {
  name                = "law-contoso-app"
  location            = local.we
  resource_group_name = "rg-logging"
  sku                 = "PerGB2018"
  retention_in_days   = 90
}
