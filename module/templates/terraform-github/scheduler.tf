resource "aws_scheduler_schedule" "github_backup" {
  name                = "github_backup"
  group_name          = "default"
  schedule_expression = var.schedule_expression

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 60
  }

  target {
    arn      = local.on_ssm ? "arn:${data.aws_partition.current.partition}:scheduler:::aws-sdk:ssm:sendCommand" : aws_lambda_function.github_backup[0].arn
    role_arn = aws_iam_role.scheduler.arn

    input = local.on_ssm ? jsonencode({
      DocumentName   = "AtlassianBackup-RunCmdlet"
      InstanceIds    = [var.instance_id]
      TimeoutSeconds = 3600
      Parameters = {
        Cmdlet                  = ["Backup-GitHubRepos"]
        ExecutionTimeoutSeconds = ["86400"]
        Arguments = [jsonencode({
          Destination = "s3://${aws_s3_bucket.github_backup.id}/github"
          Region      = data.aws_region.current.name
          OwnerOnly   = var.backup_only_owner_repos
          Token       = local.token
        })]
      }
    }) : "{}"

    retry_policy {
      maximum_retry_attempts       = 5
      maximum_event_age_in_seconds = 3600
    }

    dead_letter_config {
      arn = aws_sqs_queue.missed_starts.arn
    }
  }

  lifecycle {
    precondition {
      condition     = !local.on_ssm || (var.instance_id != "" && var.instance_role_name != "")
      error_message = "run_on = \"SSM\" needs instance_id and instance_role_name."
    }

    precondition {
      condition     = local.on_ssm || var.image_uri != ""
      error_message = "run_on = \"Lambda\" needs image_uri."
    }
  }
}

resource "aws_sqs_queue" "missed_starts" {
  name_prefix               = "github_backup_missed_starts_"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600
}
