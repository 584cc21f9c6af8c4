# AtlassianBackup: every GitHub repository on a schedule, the Terraform equivalent of github-backup.yaml.
# On an instance by way of SSM (run_on = "SSM"), or in a Lambda function with the host as an image (run_on = "Lambda").
# The token is never read here, so it is not in the state: whoever makes the backup reads it.

terraform {
  required_version = ">= 1.3.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.29.0, < 7.0.0"
    }
  }
}

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

data "aws_secretsmanager_secret" "github_backup" {
  arn = var.backup_secret_arn
}

locals {
  on_ssm    = var.run_on == "SSM"
  token     = "secret:${data.aws_secretsmanager_secret.github_backup.arn}#TOKEN_GITHUB"
  role_name = local.on_ssm ? var.instance_role_name : aws_iam_role.github_backup_lambda_function_role[0].name
  here      = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
}
